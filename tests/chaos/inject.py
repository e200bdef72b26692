"""The hand that does it: carries planned faults out on a stage, heals them, and logs when each began and ended."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from relay.testing.proxy import FaultProxy
from relay.testing.tcp_faults import (
    Bandwidth,
    Blackhole,
    Down,
    Fault,
    Garbage,
    HalfOpen,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
)
from tests.acceptance.relay_side import alive, send, until
from tests.chaos.faults import PROVIDERS, Planned
from tests.chaos.log import Log
from tests.chaos.moods import Mood
from tests.chaos.stage import Stage
from tests.topologies import MASTER, Topology

LINK_FAULTS: dict[str, Fault] = {
    "latency": Latency(seconds=0.15, jitter=0.1),
    "bandwidth": Bandwidth(bytes_per_second=20_000),
    "slicer": Slicer(size=7, pause=0.001),
    "down": Down(),
    "blackhole": Blackhole(),
    "half-open": HalfOpen(),
    "reset": ResetPeer(),
    "limit-data": LimitData(bytes=700),
    "garbage": Garbage(octets=b"\x00\xff\r\n$-7\r\n"),
}
_PAUSES = ("pause", "oversleep")


class Injector:
    """Does what was planned; its log has ``begin`` and ``end`` of each fault under the same ``n``."""

    def __init__(self, stage: Stage, log: Log) -> None:
        self._s, self._log = stage, log
        self._begun = 0

    async def run(self, planned: Sequence[Planned]) -> None:
        """Carry all out; returns when the last one is healed."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as tasks:
            for fault in sorted(planned, key=lambda one: one.at):
                await asyncio.sleep(max(0.0, began + fault.at - loop.time()))
                tasks.create_task(self._one(fault), name=f"{fault.kind.name} {fault.kind.target}")

    async def _one(self, fault: Planned) -> None:
        self._begun += 1
        n, name, target = self._begun, fault.kind.name, fault.kind.target
        said: dict[str, Any] = {}
        self._log.write(do="begin", n=n, name=name, target=target, hold=fault.hold)
        try:
            said = await self._way(fault)(fault) or {}
        finally:
            self._log.write(do="end", n=n, name=name, target=target, **said)

    def _way(self, fault: Planned) -> Callable[[Planned], Awaitable[dict[str, Any] | None]]:
        target, name = fault.kind.target, fault.kind.name
        if target in PROVIDERS:
            return self._link if name.startswith("link-") else self._mood
        if target == "redis-link":
            return self._redis_link
        if target == "redis":
            return self._redis
        return self._signal if name in (*_PAUSES, "term") and target == "worker" else getattr(self, f"_{target}")

    # -- processes ---------------------------------------------------------------------------------------------------

    async def _worker(self, fault: Planned) -> dict[str, Any]:
        """``kill -9`` one worker, perhaps the moment a provider took something; healed when as many live as before."""
        pid = await self._pick_worker(fault)
        if fault.kind.name == "kill-at-send":
            await asyncio.to_thread(_next_line, [provider.log for provider in self._s.providers.values()])
        send(pid, signal.SIGKILL)
        await until(lambda: not alive(pid), within=5, why="the worker is dead")
        await self._s.whole()
        return {"pid": pid}

    async def _signal(self, fault: Planned) -> dict[str, Any]:
        """Stop one worker for a while, or ask it to end."""
        pid = await self._pick_worker(fault)
        if fault.kind.name in _PAUSES:
            send(pid, signal.SIGSTOP)
            await asyncio.sleep(fault.hold)
            send(pid, signal.SIGCONT)
        else:
            send(pid, signal.SIGTERM)
            await until(lambda: not alive(pid), within=30, why="the worker has ended")
        await self._s.whole()
        return {"pid": pid}

    async def _pick_worker(self, fault: Planned) -> int:
        found = await until(lambda: self._s.relay.processes("worker"), within=30, why="a worker lives")
        pids = sorted(process.pid for process in found)
        return int(pids[int(fault.pick * len(pids))])

    async def _api(self, fault: Planned) -> None:
        """Kill, pause or end the API process; whoever watches over it starts it again at once."""
        relay = self._s.relay
        async with self._s.restarting:
            if fault.kind.name == "pause":
                pid = relay.pid
                send(pid, signal.SIGSTOP)
                await asyncio.sleep(fault.hold)
                send(pid, signal.SIGCONT)
            else:
                if fault.kind.name == "kill-at-answer":
                    await asyncio.to_thread(_next_line, [self._s.folder / "client.jsonl"])
                send(relay.pid, signal.SIGTERM if fault.kind.name == "term" else signal.SIGKILL)
                await relay.ended(within=30)
                await self._s.restart()
            await self._s.whole()

    async def _node(self, fault: Planned) -> None:
        """The power cut of the machine."""
        del fault
        async with self._s.restarting:
            await self._s.relay.kill_everything()
            await self._s.restart()
            await self._s.whole()

    # -- Redis -------------------------------------------------------------------------------------------------------

    async def _redis(self, fault: Planned) -> None:
        name = fault.kind.name
        if name in ("kill", "pause", "failover"):
            await (self._own_redis(fault) if self._s.servers is None else self._node_of(self._s.servers, fault))
        else:
            words = {"flushall": "FLUSHALL", "script-flush": "SCRIPT FLUSH", "client-kill": "CLIENT KILL TYPE normal"}
            await self._command(words[name])
        await self._s.whole()

    async def _own_redis(self, fault: Planned) -> None:
        """The relay's private server: its own supervisor starts it again."""
        pid = await self._s.relay.one("redis")
        if fault.kind.name == "kill":
            send(pid, signal.SIGKILL)
            await until(lambda: not alive(pid), within=5, why="Redis is dead")
            return
        send(pid, signal.SIGSTOP)
        await asyncio.sleep(fault.hold)
        send(pid, signal.SIGCONT)

    async def _node_of(self, servers: Topology, fault: Planned) -> None:
        """A primary of the operator's; it comes back, perhaps as a replica."""
        primaries = await asyncio.to_thread(servers.primaries)
        if not primaries:
            return  # the last fault's failover is still on its way
        node = sorted(primaries, key=lambda one: one.name)[int(fault.pick * len(primaries))]
        if fault.kind.name == "kill":
            await asyncio.to_thread(servers.kill, node)
            await asyncio.sleep(fault.hold)
            await asyncio.to_thread(servers.start, node)
        elif fault.kind.name == "pause":
            servers.pause(node)
            await asyncio.sleep(fault.hold)
            servers.resume(node)
        else:
            await asyncio.to_thread(_failover, servers)
        await asyncio.to_thread(servers.settle, within=30.0)

    async def _command(self, words: str) -> None:
        """An administrator's word to every primary, from beside the relay."""
        if self._s.servers is not None:
            primaries = await asyncio.to_thread(self._s.servers.primaries)
            clients = [Redis(port=node.port) for node in primaries]
        else:
            clients = [Redis(unix_socket_path=str(self._s.relay.data_dir / "redis" / "redis.sock"))]
        for client in clients:
            with suppress(RedisError):  # CLIENT KILL ends this client too; who is away needs no further fault
                await client.execute_command(*words.split())  # type: ignore[no-untyped-call]
            await client.aclose()

    # -- connections and providers -----------------------------------------------------------------------------------

    async def _redis_link(self, fault: Planned) -> dict[str, Any]:
        assert self._s.redis_link is not None
        return await self._spoil([self._s.redis_link], fault.kind.name, fault)

    async def _link(self, fault: Planned) -> dict[str, Any]:
        """One host of webhooks, or the whole way to another provider."""
        links = self._s.links[fault.kind.target]
        chosen = links[int(fault.pick * len(links))]
        return await self._spoil([chosen], fault.kind.name.removeprefix("link-"), fault)

    async def _spoil(self, links: Sequence[FaultProxy], name: str, fault: Planned) -> dict[str, Any]:
        dropped = sum(link.dropped for link in links)
        loop = asyncio.get_running_loop()
        end = loop.time() + fault.hold
        for link in links:
            if name != "drop-reply":
                await link.put(LINK_FAULTS[name])
        while name == "drop-reply" and loop.time() < end:
            for link in links:
                link.drop_reply(1 + int(fault.pick * 7))
            await asyncio.sleep(0.1)
        await asyncio.sleep(max(0.0, end - loop.time()))
        for link in links:
            await link.heal()
        return {"dropped": sum(link.dropped for link in links) - dropped}

    async def _mood(self, fault: Planned) -> None:
        provider = self._s.providers[fault.kind.target]
        share = 1.0 if fault.pick < 0.5 else 0.3
        await provider.feel(Mood(fault.kind.name), share=share, seconds=1.0 + 2 * fault.pick)
        await asyncio.sleep(fault.hold)
        await provider.feel(Mood.CALM)


def _next_line(logs: Sequence[Path]) -> None:
    """Return the moment one of ``logs`` grows: whoever dies now has told nobody of it; a second at most."""
    sizes, end = [log.stat().st_size for log in logs], time.monotonic() + 1.0
    while sizes == [log.stat().st_size for log in logs] and time.monotonic() < end:
        time.sleep(0.0005)


def _failover(servers: Topology) -> None:
    """Ask for a failover in good order."""
    if servers.kind == "sentinel":
        with suppress(ResponseError):  # one is under way already, or nobody is there to take over
            servers.sentinels[0].call("SENTINEL", "FAILOVER", MASTER)
        return
    for primary in servers.primaries():
        for replica in servers.replicas_of(primary):
            replica.call("CLUSTER", "FAILOVER")
            return
