"""A relay with two workers between fake providers and its Redis, every connection through a fault proxy."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
import orjson

from relay.testing.proxy import FaultProxy
from tests.acceptance.relay_side import ROOT, Relay, until
from tests.chaos.faults import PROVIDERS
from tests.chaos.people import people
from tests.chaos.providers import Provider
from tests.topologies import Kind, Topology, start
from tests.topologies import servers as programs

HOSTS = 3
_SMS = ("sms", "sms-backup")
WORKERS = 2

#: Leases and pauses so short that a recovery fits into seconds, chunks so small that even these alerts have several.
ENGINE = {
    "pauses_urgent": [0.4, 0.8, 1.5],
    "pauses": [0.5, 1.0, 2.0],
    "send_timeout": 4.0,
    "chunk": 12,
    "slots": 2,
}


@dataclass(slots=True)
class Stage:
    """Everything that a round can hurt; ``servers`` is None where the relay has a private one;

    ``redis_link`` is the proxy before a single server: Sentinels and Clusters tell their own addresses.
    """

    folder: Path
    relay: Relay
    providers: dict[str, Provider]
    links: dict[str, list[FaultProxy]]
    people: list[dict[str, Any]]
    servers: Topology | None = None
    redis_link: FaultProxy | None = None
    workers: int = WORKERS
    restarting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def key(self) -> str:
        """The admin key."""
        return self.relay.key

    async def restart(self) -> None:
        """Start ``relay serve`` again and wait until it listens."""
        await self.relay.start()

    async def whole(self, *, within: float = 40.0) -> None:
        """Wait until the API answers, Redis is there, and all workers live and have been heard of."""

        missing = "nothing"

        async def there() -> bool:
            nonlocal missing
            missing = await self._missing()
            return not missing

        try:
            await until(there, within=within, why="the relay is whole again")
        except AssertionError as error:
            raise AssertionError(f"{error}; still missing: {missing}") from None

    async def _missing(self) -> str:
        """Return what is not there now; empty: nothing."""
        pids = [process.pid for process in self.relay.processes("worker")]
        if len(pids) < self.workers:
            return f"a worker; there are {pids}"
        document = await ask(self, "/status")
        if document is None:
            return "an answer to GET /status"
        if not document["redis"].get("available"):
            return f"Redis: {document['redis']}"
        ages = {int(worker["id"].rpartition("-")[2]): worker["age_s"] for worker in document["workers"]}
        silent = [pid for pid in pids if ages.get(pid, 99.0) >= 3.0]
        return f"a sign of life of {silent}; heard of {ages}" if silent else ""


async def ask(stage: Stage, path: str, *, timeout: float = 5.0) -> Any:
    """GET a document; None while nobody answers with one."""
    headers = {"Authorization": f"Bearer {stage.key}", "Accept": "application/json"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as http,
            http.get(stage.relay.url + path, headers=headers) as response,
        ):
            raw = await response.read()
            return orjson.loads(raw) if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError):
        return None


@contextlib.asynccontextmanager
async def stage(
    folder: Path, *, seed: int, topology: str = "private", crowd: int = 60, workers: int = WORKERS, root: Path = ROOT
) -> AsyncIterator[Stage]:
    """Run everything in ``folder``; ``root`` is the tree whose relay is judged (a mutant's is not this one)."""
    async with contextlib.AsyncExitStack() as stack:
        kinds = [*PROVIDERS, "sms-backup"] if seed % 2 else PROVIDERS
        providers = {kind: Provider(kind, folder, seed=seed) for kind in kinds}
        for provider in providers.values():
            stack.push_async_callback(provider.end)
            await provider.start()
        links = {
            kind: [
                await stack.enter_async_context(FaultProxy(("127.0.0.1", provider.port), seed=seed + n))
                for n in range(HOSTS if kind == "webhook" else 1)
            ]
            for kind, provider in providers.items()
        }
        crowded = people(seed, count=crowd, hooks=[f"http://127.0.0.1:{link.port}" for link in links["webhook"]])
        servers, redis_link, redis = None, None, {}
        if topology != "private":
            servers = await asyncio.to_thread(_servers, topology, folder, seed)
            stack.callback(servers.close)
            redis = {"url": servers.url}
        if servers is not None and topology == "standalone":
            behind = ("127.0.0.1", servers.nodes[0].port)
            redis_link = await stack.enter_async_context(FaultProxy(behind, seed=seed))
            redis = {"url": f"redis://127.0.0.1:{redis_link.port}/0"}
        relay = Relay(folder, **_settings(links, workers=workers), redis=redis)
        relay.root = root
        made = Stage(folder, relay, providers, links, crowded, servers, redis_link, workers)
        stack.push_async_callback(relay.kill_everything)
        await relay.start()
        await made.whole()
        await _import(made)
        yield made


def _servers(topology: str, folder: Path, seed: int) -> Topology:
    """Start the operator's servers: by the seed another program, and strict or not about copies."""
    known = sorted(programs().items())
    program = known[seed // 2 % len(known)][1]
    return start(
        cast("Kind", topology), server=program, folder=folder / "servers", patience_ms=1500, strict=seed % 3 == 0
    )


def _settings(links: dict[str, list[FaultProxy]], *, workers: int) -> dict[str, Any]:
    mail = {"host": "127.0.0.1", "port": links["email"][0].port, "tls": "none", "sender": "warnings@meteo.example"}
    return {
        "channels": {
            "hooks": {"adapter": "webhook", "lanes": ["live", "drill"], "settings": {"timeout": 2.0}},
            **{f"texts-{kind}": _texts(links[kind][0], order=n) for n, kind in enumerate(_SMS, 1) if kind in links},
            "mails": {
                "adapter": "smtp",
                "receipt_deadline": 3.0,
                "settings": {**mail, "timeout": 2.0, "start_within": 2.0},
            },
        },
        "engine": {**ENGINE, "workers": workers},
        "egress": {"allow": [f"127.0.0.0/8:{link.port}" for link in links["webhook"]]},
    }


def _texts(link: FaultProxy, *, order: int) -> dict[str, Any]:
    settings = {"host": "127.0.0.1", "port": link.port, "system_id": "chapar", "password": "secret"}
    settings |= {"response_timeout": 2.0, "connect_timeout": 2.0, "reconnect": [0.2, 0.5, 1.0], "throttle_pause": 0.5}
    return {"adapter": "smpp", "order": order, "rate": 60.0, "receipt_deadline": 4.0, "settings": settings}


async def _import(made: Stage) -> None:
    lines = b"".join(orjson.dumps(person) + b"\n" for person in made.people)
    headers = {"Authorization": f"Bearer {made.key}", "Content-Type": "application/x-ndjson"}

    async def done() -> bool:
        async with aiohttp.ClientSession() as http:
            url = f"{made.relay.url}/v1/recipients/import"
            async with http.post(url, data=lines, headers=headers) as response:
                said = await response.json()
        assert response.status in (200, 503), said
        return response.status == 200 and said["imported"] + said["updated"] == len(made.people)

    await until(done, within=30, why="the directory is imported")
