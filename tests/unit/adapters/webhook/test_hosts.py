"""One host gets a bounded share of the relay."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.webhook.connection import Connection
from adapters.webhook.hosts import Host, Hosts, Unused
from adapters.webhook.request import Origin

FAR = 1e9


class Turn:
    """Somebody who wants to ask a host, and writes down what became of it."""

    def __init__(self, by: float = FAR) -> None:
        self.by = by
        self.heard = "waits"
        self.over: Connection | None = None

    def begin(self, connection: Connection | None, *, now: float) -> None:
        """Go ahead."""
        self.heard, self.over = "begun", connection

    def refuse(self) -> None:
        """Be handed back."""
        self.heard = "refused"


class Wire(asyncio.Transport):
    """A transport that only knows whether it was cut."""

    def __init__(self) -> None:
        super().__init__()
        self.is_cut = False

    def abort(self) -> None:
        """Be cut."""
        self.is_cut = True


def host(limit: int) -> Host:
    """Return a host of that limit."""
    return Host(limit, Origin(True, "hook.example", 443, "hook.example"), b"", unused=Unused())


def connection() -> Connection:
    """Return a connection that is made."""
    made = Connection(0)
    made.connection_made(Wire())
    return made


def add(hosts: Hosts, number: int) -> Host:
    """Return the host of that number."""
    origin = Origin(True, f"h{number}.example", 443, f"h{number}.example")
    return hosts.find(origin.name) or hosts.add(origin, headers=b"")


def enter(to: Host, *turns: Turn, now: float = 0.0) -> list[str]:
    """Let ``turns`` enter and return what they heard."""
    for turn in turns:
        to.enter(turn, now=now)
    return [turn.heard for turn in turns]


def test_no_more_than_the_limit_enter() -> None:
    """Who comes after the last slot is taken waits."""
    busy = host(2)

    assert enter(busy, Turn(), Turn(), Turn()) == ["begun", "begun", "waits"]
    assert busy.under_way == 2


def test_waiting_ends_when_a_slot_is_free() -> None:
    """Who waits gets the slot that another leaves, with its connection."""
    busy, waiting, line = host(1), Turn(), connection()
    enter(busy, Turn(), waiting)
    busy.leave(line, now=1.0)

    assert (waiting.heard, waiting.over) == ("begun", line)
    assert busy.under_way == 1


def test_slots_are_handed_over_in_order() -> None:
    """Who waits longest is next, and who gave up or is late is passed over without losing the slot."""
    busy = host(1)
    gone, late, first, second = Turn(), Turn(by=0.5), Turn(), Turn()
    enter(busy, Turn(), gone, late, first, second)
    busy.forget(gone)
    busy.leave(None, now=1.0)
    heard = [turn.heard for turn in (gone, late, first, second)]
    busy.leave(None, now=1.0)
    busy.leave(None, now=1.0)

    assert heard == ["waits", "refused", "begun", "waits"]
    assert second.heard == "begun"
    assert busy.under_way == 0


def test_nobody_enters_late() -> None:
    """A free slot does not help when the time is already up."""
    assert enter(host(1), Turn(by=5.0), now=5.0) == ["refused"]


def test_a_silent_host_is_asked_by_one_at_a_time() -> None:
    """While a host answers nobody, one finds out whether that is still so and nobody else waits for it."""
    hole = host(8)
    waiting = Turn()
    enter(hole, *(Turn() for _ in range(8)), waiting)
    hole.hush()
    for _ in range(8):
        hole.leave(None, now=1.0)
    probes = enter(hole, Turn(), Turn(), now=2.0)
    hole.silent = False

    assert waiting.heard == "refused"
    assert probes == ["begun", "refused"]
    assert enter(hole, Turn(), now=3.0) == ["begun"]


def test_connections_are_used_again() -> None:
    """The connection used last is used next; one that was closed meanwhile, or waited too long, is not."""
    quiet = host(4)
    old, closed, good = connection(), connection(), connection()
    enter(quiet, Turn(), Turn(), Turn())
    quiet.leave(old, now=0.0)
    quiet.leave(good, now=14.0)
    quiet.leave(closed, now=14.0)
    closed.connection_lost(None)
    turns = [Turn(), Turn()]
    enter(quiet, *turns, now=16.0)

    assert [turn.over for turn in turns] == [good, None]
    assert not old.usable


def test_hosts_are_remembered_within_bounds() -> None:
    """A million hosts do not fill the memory, and one that is busy is never forgotten."""
    hosts = Hosts(2)
    busy = add(hosts, -1)
    busy.enter(Turn(), now=0.0)
    for number in range(1000):
        add(hosts, number)

    assert add(hosts, -1) is busy
    assert len(hosts._hosts) <= 257


async def test_connections_of_passers_by_are_not_kept() -> None:
    """Beyond some hundred hosts only those that come again keep their connection."""
    hosts = Hosts(2)
    early, first, again = connection(), connection(), connection()
    early_host = add(hosts, -1)
    early_host.enter(Turn(), now=0.0)
    hosts.leave(early_host, early, now=0.0)
    kept_early = early.usable
    for number in range(300):
        add(hosts, number)
    passer_by = add(hosts, 1000)
    passer_by.enter(Turn(), now=0.0)
    hosts.leave(passer_by, first, now=0.0)
    passer_by.enter(Turn(), now=0.0)
    hosts.leave(passer_by, again, now=0.0)

    assert (kept_early, first.usable, again.usable) == (True, False, True)
    assert not early.usable, "the connections of a forgotten host are closed"
    hosts.close()
    assert not again.usable


async def test_unused_connections_are_few_in_all() -> None:
    """However many hosts, and however many connections each: together they leave files for others to open."""
    hosts = Hosts(256)
    lines = []
    for number in range(64):
        where = add(hosts, number)
        for _ in range(20):
            where.enter(Turn(), now=0.0)
        for _ in range(20):
            lines.append(connection())
            hosts.leave(where, lines[-1], now=0.0)
    kept, counted = sum(line.usable for line in lines), hosts._unused.count
    add(hosts, 0).enter(Turn(), now=0.0)
    after_one_was_taken = hosts._unused.count
    hosts.close()

    assert (kept, counted, after_one_was_taken) == (512, 512, 511)
    assert hosts._unused.count == 0


async def test_a_connection_that_is_wanted_is_kept() -> None:
    """Who waits gets the connection, whatever the bounds on unused ones."""
    hosts = Hosts(1)
    for number in range(300):
        add(hosts, number)
    where, line, waiting = add(hosts, 1000), connection(), Turn()
    enter(where, Turn(), waiting)
    hosts.leave(where, line, now=0.0)
    hosts.close()

    assert (waiting.over, line.usable) == (line, True)


async def test_unused_connections_are_closed_after_a_while(monkeypatch: Any) -> None:
    """What nobody used for some seconds does not stay open for ever."""
    monkeypatch.setattr("adapters.webhook.hosts._IDLE", 0.02)
    hosts, line = Hosts(2), connection()
    where = add(hosts, 1)
    where.enter(Turn(), now=0.0)
    hosts.leave(where, line, now=asyncio.get_running_loop().time())
    async with asyncio.timeout(5):
        while line.usable:
            await asyncio.sleep(0.01)

    assert hosts._sweeper is None or not hosts._sweeper.cancelled()
    hosts.close()
