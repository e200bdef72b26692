"""A relay in this process for the tests of the API: real Redis, journal and listener; a worker where one is needed."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from relay import supervise
from relay.api.protocol import Connections
from relay.api.server import Listener
from relay.api.services import Services
from relay.api_node import ApiNode
from relay.clock import SystemClock
from relay.datadir import prepare
from relay.fanout.worker import Place, Worker
from relay.intake.authority import Mode, Role
from relay.node import guard_of
from relay.settings import Settings
from relay.store.connection import Connection
from relay.store.embedded import EmbeddedServer

CLOCK = SystemClock()
POLYGON = "43.05,76.65 43.05,77.25 43.45,77.25 43.45,76.65 43.05,76.65"
ALMATY = {"lat": 43.24, "lon": 76.89}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers, bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)

    @property
    def slug(self) -> str:
        """The slug of a problem."""
        return str(self.json["type"]).removeprefix("urn:chapar:problem:")


@dataclass(slots=True)
class House:
    """A running relay and how to talk to it."""

    services: Services
    server: Listener
    redis: EmbeddedServer
    http: aiohttp.ClientSession
    keys: dict[str, str]
    data_dir: Path

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def ask(
        self,
        method: str,
        path: str,
        *,
        who: str = "admin",
        body: bytes | dict[str, Any] | None = None,
        **headers: str,
    ) -> Reply:
        """Send one request as ``who`` (empty: nobody) and return the answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who:
            sent.setdefault("Authorization", f"Bearer {self.keys[who]}")
        data = None if body is None else io.BytesIO(orjson.dumps(body) if isinstance(body, dict) else body)
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.http.request(method, self.url(path), data=data, headers=sent) as got:
            return Reply(got.status, got.headers, await got.read())

    async def post(
        self, alert: bytes | dict[str, Any], *, who: str = "meteo", query: str = "", **headers: str
    ) -> Reply:
        """Post an alert, XML as bytes or JSON as a mapping."""
        if isinstance(alert, bytes):
            headers.setdefault("Content_Type", "application/cap+xml")
        return await self.ask("POST", f"/v1/alerts{query}", who=who, body=alert, **headers)

    async def refused(self, problem: str, **fields: Any) -> dict[str, Any]:
        """Return the record of a refused post from the status, once it is there."""
        rows: list[dict[str, Any]] = []

        async def found() -> bool:
            status = (await self.ask("GET", "/status")).json
            fits = {"problem": problem, **fields}
            rows[:] = [row for row in status["refused"] if fits.items() <= row.items()]
            return bool(rows)

        await eventually(found)
        return rows[0]

    async def raw(self, data: bytes, *, seconds: float = 5.0, eof: bool = False) -> bytes:
        """Send bytes and return everything that comes until the relay closes, or ``seconds`` are over."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        got = bytearray()
        try:
            writer.write(data)
            if eof:
                writer.write_eof()
            async with asyncio.timeout(seconds):
                while piece := await reader.read(65536):
                    got += piece
        except (TimeoutError, ConnectionError):
            pass
        finally:
            writer.close()
        return bytes(got)


def at(minutes: float = 0) -> str:
    """Return a CAP time so many minutes from now."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="seconds")


def alert_json(identifier: str, **values: Any) -> dict[str, Any]:
    """Return an alert for Almaty in JSON; values replace those of the alert or of its info."""
    info = {
        "language": "en",
        "category": ["Met"],
        "event": "Flood",
        "urgency": "Expected",
        "severity": "Severe",
        "certainty": "Likely",
        "expires": at(60),
        "headline": "Flood in Almaty",
        "area": [{"areaDesc": "Almaty", "polygon": [POLYGON]}],
    }
    alert = {
        "identifier": identifier,
        "sender": "duty@meteo.example",
        "sent": at(),
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
    }
    for name, value in values.items():
        (info if name in info or name == "instruction" else alert)[name] = value
    return {**alert, "info": [info]}


def alert_xml(identifier: str, *, extra: str = "") -> bytes:
    """Return an alert for Almaty in XML."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>{identifier}</identifier><sender>duty@meteo.example</sender><sent>{at()}</sent>
  <status>Actual</status><msgType>Alert</msgType><scope>Public</scope>{extra}
  <info><language>en</language><category>Met</category><event>Flood</event><urgency>Expected</urgency>
    <severity>Severe</severity><certainty>Likely</certainty><expires>{at(60)}</expires>
    <headline>Flood in Almaty</headline>
    <area><areaDesc>Almaty</areaDesc><polygon>{POLYGON}</polygon></area></info>
</alert>""".encode()


async def eventually(found: Callable[[], Awaitable[object]], *, seconds: float = 10.0) -> None:
    """Wait until ``found`` returns something true.

    Raises:
        TimeoutError: it did not in time.
    """
    async with asyncio.timeout(seconds):
        while not await found():
            await asyncio.sleep(0.02)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def relay_house(
    data_dir: Path, *, worker: bool = False, connections: Connections | None = None, **api: Any
) -> AsyncIterator[House]:
    """Run a relay on a free port; ``worker``: with one worker whose SMS go to a file."""
    settings = Settings.model_validate(
        {
            "data_dir": str(data_dir),
            "api": {"port": free_port(), "drain": 1.0, "body_timeout": 1.0, **api},
            "channels": {
                "sms-console": {
                    "adapter": "console",
                    "lanes": ["live", "drill"],
                    "settings": {"kind": "sms", "path": str(data_dir / "sms.ndjson")},
                }
            },
        }
    )
    prepare(data_dir)
    redis = EmbeddedServer(data_dir, clock=CLOCK)
    await redis.start()
    connection = Connection(redis.url, timeout=2.0)
    node = await ApiNode.build(settings, connection, data_dir, clock=CLOCK)
    await node.load()
    server = Listener(node.services, connections=connections)
    await server.start()
    stopping = asyncio.Event()
    parts: dict[str, supervise.Part] = dict(node.parts)
    one = _worker(settings, connection, node.services, data_dir) if worker else None
    if one is not None:
        await one.open(stopping)
        parts |= {f"worker {name}": part for name, part in one.parts.items()}
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        tasks.create_task(supervise.run(parts, stopping=stopping, grace=1.0))
        keys = {"admin": (data_dir / "admin.key").read_text().strip()}
        house = House(node.services, server, redis, http, keys, data_dir)
        await _make_keys(house)
        await _ready(house)
        try:
            yield house
        finally:
            stopping.set()
            await server.stop()
    if one is not None:
        await one.close(deadline=1.0)
    await node.journal.close()
    await connection.close()
    await redis.stop()


def _worker(settings: Settings, connection: Connection, services: Services, data_dir: Path) -> Worker:
    place = Place(worker_id="w1", data_dir=data_dir, public_host="localhost", secret=services.secret)
    return Worker(settings, connection, guard_of(settings), place, clock=CLOCK)


async def _make_keys(house: House) -> None:
    for name, role, mode in (
        ("meteo", Role.AGENCY, Mode.LIVE),
        ("seismo", Role.AGENCY, Mode.LIVE),
        ("duty", Role.OPERATOR, Mode.LIVE),
        ("approver", Role.APPROVER, Mode.LIVE),
        ("rehearsal", Role.AGENCY, Mode.TEST),
    ):
        agency = "meteo" if name == "rehearsal" else name
        senders = [f"*@{agency}.example"] if role is Role.AGENCY else []
        made = await house.services.keys.create(role=role, name=name, senders=senders, mode=mode)
        house.keys[name] = made.credential


async def _ready(house: House) -> None:
    async with asyncio.timeout(20):
        while not house.services.state.redis_available:
            await asyncio.sleep(0.02)
