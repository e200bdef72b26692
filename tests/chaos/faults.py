"""What can be done to a running relay, and a seeded plan of when it is done: a pure decision."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One fault: what it does to which target, and for how long at least and at most, in seconds."""

    name: str
    target: str
    least: float = 0.0
    most: float = 0.0
    weight: int = 2

    @property
    def family(self) -> str:
        """What a round switches on or off as a whole."""
        return "provider" if self.target in PROVIDERS else self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A fault that begins ``at`` seconds after the load began and lasts ``hold`` seconds.

    ``pick`` in [0, 1) chooses among several: which worker, which reply, which share.
    """

    kind: Kind
    at: float
    hold: float
    pick: float


PROVIDERS = ("webhook", "sms", "email")

_PROCESSES = (
    Kind(name="kill", target="worker", weight=3),
    Kind(name="kill-at-send", target="worker", weight=3),
    Kind(name="pause", target="worker", least=0.4, most=1.4),
    Kind(name="oversleep", target="worker", least=3.0, most=4.5, weight=3),
    Kind(name="term", target="worker"),
    Kind(name="kill", target="api", weight=2),
    Kind(name="kill-at-answer", target="api", weight=2),
    Kind(name="pause", target="api", least=0.5, most=2.0),
    Kind(name="term", target="api"),
    Kind(name="kill", target="node"),
)
_REDIS = (
    Kind(name="kill", target="redis", least=0.2, most=2.0, weight=4),
    Kind(name="pause", target="redis", least=0.3, most=4.0, weight=3),
    Kind(name="flushall", target="redis", weight=1),
    Kind(name="script-flush", target="redis"),
    Kind(name="client-kill", target="redis", weight=3),
)
_FAILOVERS = (
    Kind(name="kill", target="redis", least=1.0, most=4.0, weight=6),
    Kind(name="pause", target="redis", least=0.5, most=5.0, weight=4),
    Kind(name="failover", target="redis", weight=4),
    Kind(name="flushall", target="redis", weight=1),
    Kind(name="client-kill", target="redis", weight=2),
)
_REDIS_LINK = (
    Kind(name="latency", target="redis-link", least=1.0, most=3.0),
    Kind(name="reset", target="redis-link", weight=3),
    Kind(name="drop-reply", target="redis-link", least=0.5, most=1.0, weight=6),
    Kind(name="blackhole", target="redis-link", least=0.5, most=3.0),
    Kind(name="half-open", target="redis-link", least=0.5, most=3.0),
    Kind(name="down", target="redis-link", least=0.3, most=2.0),
    Kind(name="slicer", target="redis-link", least=0.5, most=1.5),
    Kind(name="bandwidth", target="redis-link", least=0.5, most=2.0),
    Kind(name="limit-data", target="redis-link", least=0.5, most=1.5),
    Kind(name="garbage", target="redis-link", least=0.3, most=0.8),
)
_LINKS = tuple(
    Kind(name=f"link-{name}", target=target, least=least, most=most, weight=1)
    for target in PROVIDERS
    for name, least, most in (
        ("latency", 1.0, 3.0),
        ("down", 0.5, 2.0),
        ("blackhole", 0.5, 3.0),
        ("half-open", 0.5, 3.0),
        ("reset", 0.3, 1.0),
        ("drop-reply", 0.5, 1.0),
        ("limit-data", 0.5, 1.5),
        ("slicer", 0.5, 1.5),
        ("garbage", 0.3, 0.8),
    )
)
_MOODS = tuple(
    Kind(name=mood, target=target, least=0.5, most=3.0, weight=2)
    for target in PROVIDERS
    for mood in ("slow", "throttle", "fails", "hang", "reset", "refuse")
)

#: By topology: the relay's private server; the operator's, through a proxy; one with replicas that take over.
PRIVATE = (*_PROCESSES, *_REDIS, *_LINKS, *_MOODS)
STANDALONE = (*PRIVATE, *_REDIS_LINK)
REPLICATED = (*_PROCESSES, *_FAILOVERS, *_LINKS, *_MOODS)
KINDS = {"private": PRIVATE, "standalone": STANDALONE, "sentinel": REPLICATED, "cluster": REPLICATED}


def plan(seed: int, kinds: Sequence[Kind], *, seconds: float) -> tuple[Planned, ...]:
    """Draw the faults of one round: some families of them, one every one to three seconds, at most two at a time.

    The first and the last two seconds of the load are calm.
    """
    chance = random.Random(f"faults {seed}")
    families = sorted({kind.family for kind in kinds})
    used = set(chance.sample(families, chance.randint(2, len(families))))
    able = [kind for kind in kinds if kind.family in used]
    planned: list[Planned] = []
    at = 2.0
    while at < seconds - 2.0:
        busy = [p for p in planned if p.at + p.hold > at]
        free = [kind for kind in able if len(busy) < 2 and kind.target not in {p.kind.target for p in busy}]
        if free:
            kind = chance.choices(free, [kind.weight for kind in free])[0]
            hold = chance.uniform(kind.least, kind.most)
            planned.append(Planned(kind=kind, at=round(at, 3), hold=round(hold, 3), pick=chance.random()))
        at += chance.uniform(1.0, 3.0)
    return tuple(planned)
