"""An outside judge: a client with any key, and a relay on a stage; it knows the design and nothing of the code."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import aiohttp
import orjson

from tests.acceptance.black_box_alerts import Document
from tests.acceptance.black_box_receivers import Hooks, receiver
from tests.acceptance.relay_side import Relay, until

T = TypeVar("T")

#: The states that are not final.
OPEN = {"queued", "sending", "retrying", "accepted"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the relay: ``body`` is the parsed JSON, else the text."""

    status: int
    body: Any
    headers: Mapping[str, str]
    raw: bytes
    took: float


class Client:
    """Speaks HTTP to the relay; ``key`` may be given with each request, else it is the admin key."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=70), connector=aiohttp.TCPConnector(limit=0)
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def ask(
        self, method: str, path: str, json: Any = None, *, key: str | None = None, data: Any = None, **headers: str
    ) -> Answer:
        """Send one request; ``key=""`` sends no credential, header names are written with underscores."""
        token = self.relay.key if key is None else key
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {token}"
        if json is not None:
            data = orjson.dumps(json)
            sent.setdefault("Content-Type", "application/json")
        began = monotonic()
        url = path if path.startswith("http") else self.relay.url + path
        async with self._http.request(method, url, data=data, headers=sent, allow_redirects=False) as response:
            raw = await response.read()
            took = monotonic() - began
        body: Any = raw.decode(errors="replace")
        if response.content_type in ("application/json", "application/problem+json"):
            body = orjson.loads(raw)
        return Answer(response.status, body, dict(response.headers), raw, took)

    async def post(self, document: Document, query: str = "", **words: Any) -> Answer:
        """Post an alert as JSON."""
        return await self.ask("POST", f"/v1/alerts{query}", document, **words)

    async def post_xml(self, body: bytes, query: str = "", **words: Any) -> Answer:
        """Post an alert as CAP."""
        return await self.ask("POST", f"/v1/alerts{query}", data=body, Content_Type="application/cap+xml", **words)

    async def told(self, *people: Document) -> None:
        """Put people into the directory."""
        lines = b"".join(orjson.dumps(one) + b"\n" for one in people)

        async def done() -> bool:
            # 503 is the honest answer of a relay whose Redis is still starting.
            path, media = "/v1/recipients/import", "application/x-ndjson"
            answer = await self.ask("POST", path, data=lines, Content_Type=media)
            assert answer.status == 503 or answer.body.get("failed") == 0, answer.body
            return answer.status == 200

        await until(done, within=20, why="the people are in the directory")

    async def key(self, **record: Any) -> str:
        """Make a key and return it."""
        answer = await self.ask("POST", "/v1/keys", record)
        assert answer.status in (200, 201), answer.body
        return str(answer.body["key"])

    async def alert(self, alert_id: str) -> Document:
        """Return an alert as the relay shows it; empty while it cannot (503)."""
        answer = await self.ask("GET", f"/v1/alerts/{alert_id}")
        assert answer.status in (200, 503), answer.body
        return dict(answer.body) if answer.status == 200 and not answer.body.get("stale") else {}

    async def end(self, alert_id: str, *states: str, within: float = 20.0) -> Document:
        """Return an alert once its state is one of ``states`` (usually completed) and check that its counts sum."""
        seen: Document = {}

        async def there() -> Document | None:
            nonlocal seen
            seen = await self.alert(alert_id) or seen
            assert sum(seen.get("counts", {}).values()) == seen.get("deliveries", 0), seen
            return seen if seen.get("state") in (states or ("completed",)) else None

        try:
            return dict(await until(there, within=within, why="it ends"))
        except AssertionError as error:
            raise AssertionError(f"{states or 'completed'}: {error}: {seen}") from None

    async def settled(self, alert_id: str, *, within: float = 20.0) -> Document:
        """Return an alert once it is planned and none of its deliveries is open."""

        async def there() -> Document | None:
            seen = await self.alert(alert_id)
            planned = seen.get("state", "accepted") != "accepted"
            return seen if planned and not OPEN & set(seen.get("counts", {})) else None

        return dict(await until(there, within=within, why=f"{alert_id} is settled"))

    async def deliveries(self, alert_id: str, query: str = "") -> list[Document]:
        """Return all deliveries, two pages at least when there are more than a few."""
        rows: list[Document] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await self.ask("GET", f"/v1/alerts/{alert_id}/deliveries?limit=500&cursor={cursor}{query}")
            assert page.status == 200, page.body
            rows += page.body["deliveries"]
            cursor = page.body["next"]
        return rows

    async def states(self, alert_id: str) -> dict[str, str]:
        """Return recipient → state, of the last round of each."""
        return {row["recipient"]: row["state"] for row in await self.deliveries(alert_id)}


@dataclass(frozen=True, slots=True)
class Stage:
    """A relay that listens, a client with its admin key, and a webhook receiver."""

    relay: Relay
    client: Client
    hooks: Hooks


@contextlib.asynccontextmanager
async def stage(folder: Path, *, reach: Sequence[str] = (), **sections: Any) -> AsyncIterator[Stage]:
    """Run a relay in ``folder``: with one webhook channel (or ``channels``) that may reach the receiver and ``reach``."""
    async with receiver() as hooks:
        egress = {"allow": [f"127.0.0.0/8:{hooks.port}", *reach]}
        usual = {"channels": {"webhook": {"adapter": "webhook"}}, "egress": egress}
        relay = Relay(folder, **{**usual, **sections})
        client = Client(relay)
        try:
            await relay.start()
            yield Stage(relay, client, hooks)
        finally:
            await client.close()
            await relay.kill_everything()
            # Shown by pytest only for a test that failed.
            print(f"{relay.folder}: the last of its log\n{relay.log[-6000:]}")


async def together(calls: Sequence[Awaitable[T]]) -> list[T]:
    """Await all at once and return their results in order."""

    async def one(call: Awaitable[T]) -> T:
        return await call

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one(call), name="together") for call in calls]
    return [task.result() for task in running]
