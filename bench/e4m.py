"""E4m: how soon each class leaves when all come at once, past large low alerts, through a fast lane and a slow one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.alerts import P0, P1, P2, P3, P4, PX, Grade
from bench.client import Posted
from bench.configuration import silent, to_file
from bench.figures import Figure, Target
from bench.handed import Handed
from bench.job import Job
from bench.people import CITY, VALLEY, VILLAGE, Crowd, Place
from bench.relay import Relay, new_folder, running
from bench.stats import ms
from relay.adapter import Kind
from relay.fanout.ids import leg_id
from relay.settings import Engine

TARGET = Target(limit=1, unit="× target", most=True)
WHAT = "mixed load: the worst of P0 to P4 as p99 of accepted → first hand-over against its target, two lanes"
#: Of the claims while no P0 waits one in 16 starts with the lowest classes (within a tenth: chunks are counted).
FLOOR = Target(limit=0.9 / 16, unit="of claims")
#: Seconds from accepted to the first hand-over, p99 (design §8); drills have no bound.
BOUNDS: Mapping[str, float] = {"P0": 1, "P1": 3, "P2": 10, "P3": 60, "P4": 300}
GRADES: Mapping[str, Grade] = {"P0": P0, "P1": P1, "P2": P2, "P3": P3, "P4": P4, "PX": PX}
RATE = 100
_FEW = 5
_APART = 1.0  # between two alerts of a class
_WITHIN = 60.0
_LOOK = 0.1
_BOTH = ["live", "drill"]

#: Class → its small alerts, in the order in which they were posted.
Mix = Mapping[str, Sequence[Posted]]


class Pile:
    """Large alerts of one class: the next is posted before half of the last is claimed, so that it never ends."""

    def __init__(self, relay: Relay, name: str, grade: Grade, place: Place, kind: Kind) -> None:
        self._relay = relay
        self._name = name
        self._grade = grade
        self._place = place
        self._kind = kind
        self._legs: list[str] = []

    async def begin(self) -> None:
        """Post the first, and wait until it is being sent."""
        posted = await self._post()
        await self._relay.client.planned(posted.alert_id, within=_WITHIN)

    async def feed(self) -> None:
        """Keep it high until cancelled."""
        while True:
            claimed, size = await self._relay.store.claimed(self._legs[-1:])
            if size and claimed > size / 2:
                await self._post()
            await asyncio.sleep(_LOOK)

    async def claims(self) -> float:
        """Return how many chunks of it were claimed so far."""
        claimed, _ = await self._relay.store.claimed(self._legs)
        return claimed / Engine().chunk

    async def _post(self) -> Posted:
        posted = await self._relay.client.post(f"{self._name}-{len(self._legs)}", self._grade, self._place.polygon)
        self._legs.append(leg_id(posted.alert_id, kind=self._kind, round_number=0))
        return posted


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds to the first hand-over of one class's alerts in one lane."""

    klass: str
    lane: str
    seconds: Sequence[float]

    @property
    def ratio(self) -> float:
        """The 99th percentile as a part of the class's bound."""
        return ms(self.seconds, 99) / 1000 / BOUNDS[self.klass]

    def to_json(self) -> list[float]:
        """Return p50, p99 and the worst in milliseconds."""
        return [ms(self.seconds, percent) for percent in (50, 99, 100)]


async def measure(job: Job) -> Figure:
    """Start a relay with a fast lane (SMS) and one of 100/s (e-mail); keep low piles in both, and post the mix."""
    sizes, folder = job.sizes, new_folder()
    files = {kind: folder / f"{kind}.ndjson" for kind in (Kind.SMS, Kind.EMAIL)}
    channels = (
        silent("pile", match=["+7701"]),
        to_file("few", files[Kind.SMS], match=["+7702"], lanes=_BOTH),
        to_file("slow", files[Kind.EMAIL], kind="email", rate=RATE, lanes=_BOTH),
    )
    lanes = {"fast": Handed(files[Kind.SMS], Kind.SMS), "slow": Handed(files[Kind.EMAIL], Kind.EMAIL)}
    async with running(*channels, say=job.say, folder=folder) as relay:
        await relay.fill(
            Crowd(count=sizes.crowd, prefix="city", kind="sms", address="+7701{n:07d}", place=CITY),
            Crowd(count=_FEW, prefix="texts", kind="sms", address="+7702{n:07d}", place=VILLAGE, drills=True),
            Crowd(count=sizes.slow, prefix="valley", kind="email", address="slow{n}@bench.example", place=VALLEY),
            Crowd(count=_FEW, prefix="mails", kind="email", address="few{n}@bench.example", place=VILLAGE, drills=True),
        )
        mix, share = await _mixed(relay, sizes.mixed)
        waits = [await _waits(handed, lane, klass, mix[klass]) for klass in BOUNDS for lane, handed in lanes.items()]
        drills = {lane: _so_far(handed, lane, mix["PX"]) for lane, handed in lanes.items()}
    ratios = [one.ratio for one in waits]
    return Figure(
        name="E4m",
        what=WHAT,
        value=max(ratios),
        target=TARGET,
        conditions={"floor_share": FLOOR},
        beside={
            "alerts_of_each_class": len(mix["P0"]),
            "seconds": sizes.mixed,
            **{f"{one.klass}_{one.lane}_p50_p99_worst_ms": one.to_json() for one in waits},
            **{f"PX_{lane}_told_p50_p99_worst_ms": found for lane, found in drills.items()},
            "floor_share": share,
            "piles": f"P3 and P4 of {sizes.crowd:,} in the fast lane, P4 of {sizes.slow:,} in one of {RATE}/s",
        },
    )


async def _mixed(relay: Relay, seconds: float) -> tuple[Mix, float]:
    """Post the mix for ``seconds`` past the piles; return it, and the share of claims that the lowest classes got."""
    normal = Pile(relay, "normal", P3, CITY, Kind.SMS)
    low = Pile(relay, "low", P4, CITY, Kind.SMS)
    slow = Pile(relay, "slow", P4, VALLEY, Kind.EMAIL)
    for pile in (low, slow, normal):
        await pile.begin()
    async with asyncio.TaskGroup() as tasks:
        feeding = [tasks.create_task(pile.feed()) for pile in (normal, low, slow)]
        relay.say(f"all classes in turn for {seconds:.0f} s past piles of P3 and P4")
        middle, lowest = -await normal.claims(), -await low.claims()
        mix = await _post_all(relay, seconds)
        middle, lowest = middle + await normal.claims(), lowest + await low.claims()
        for task in feeding:
            task.cancel()
    each = len(mix["P0"])  # a small alert is one claim; those of P0 are not counted
    lowest += 2 * each
    return mix, lowest / (lowest + middle + 3 * each)


async def _post_all(relay: Relay, seconds: float) -> Mix:
    mix: dict[str, list[Posted]] = {klass: [] for klass in GRADES}
    began = time.perf_counter()
    for number in range(max(1, int(seconds / _APART))):
        for place, (klass, grade) in enumerate(GRADES.items()):
            due = began + (number + place / len(GRADES)) * _APART
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            mix[klass].append(await relay.client.post(f"{klass}-{number}", grade, VILLAGE.polygon))
    return mix


async def _waits(handed: Handed, lane: str, klass: str, alerts: Sequence[Posted]) -> Waits:
    """Return how long each alert took; what waits is still past piles, but they are no longer fed."""
    seconds = [max(0.0, await handed.first(one, within=BOUNDS[klass]) - one.accepted) for one in alerts]
    return Waits(klass, lane, seconds)


def _so_far(handed: Handed, lane: str, alerts: Sequence[Posted]) -> list[float]:
    """Return how many drills were told by now, and how long those took."""
    found = [at - one.accepted for one in alerts if (at := handed.seen(one)) is not None]
    return [len(found), *Waits("PX", lane, found).to_json()] if found else [0]
