"""E2: how much of Redis a tracked delivery takes, when everybody is told and when one in a hundred is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bench.alerts import P3
from bench.configuration import silent
from bench.e1 import WARM, crowd, village
from bench.figures import Figure, Target
from bench.people import EVERYWHERE, VALLEY, VILLAGE
from bench.relay import Relay, Say, running
from bench.sizes import Sizes

TARGET = Target(limit=30, unit="bytes", most=True)
DIRECTORY = Target(limit=600, unit="bytes", most=True)
WHAT = "Redis per tracked delivery, directory apart: the worse of 100 % and 1 % targeting"
_FEW = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """What one alert added, in bytes a delivery: to the server's used memory, and by the keys that hold it."""

    used: float
    keys: dict[str, float]

    @property
    def worse(self) -> float:
        """The larger of the two: used memory also moves by what clients had borrowed and give back meanwhile."""
        return max(self.used, sum(self.keys.values()))


async def measure(sizes: Sizes, say: Say) -> Figure:
    """Start a relay, import, and look at its memory after each alert."""
    async with running(silent("null"), say=say) as relay:
        await relay.fill(village())
        await _cost(relay, "warm", VILLAGE.polygon, WARM)
        empty = await relay.store.memory()
        people = replace(crowd(sizes), every=_FEW)
        await relay.fill(people)
        full = await relay.store.memory()
        some = await _cost(relay, "some", VALLEY.polygon, people.elsewhere)
        everybody = await _cost(relay, "everybody", EVERYWHERE, sizes.crowd + WARM)
    return Figure(
        name="E2",
        what=WHAT,
        value=max(some.worse, everybody.worse),
        target=TARGET,
        conditions={"directory_per_recipient": DIRECTORY},
        beside={
            "at_100_per_cent": everybody.worse,
            "at_1_per_cent": some.worse,
            "directory_per_recipient": (full - empty) / sizes.crowd,
            "recipients": sizes.crowd,
            "used_memory_at_100_and_1_per_cent": [everybody.used, some.used],
            "keys_at_100_per_cent": everybody.keys,
            "keys_at_1_per_cent": some.keys,
        },
    )


async def _cost(relay: Relay, identifier: str, polygon: str, count: int) -> Cost:
    """Send one alert to ``count`` recipients and return what it added."""
    relay.say(f"one alert to {count:,} recipients")
    keys, used = await relay.store.sizes(), await relay.store.memory()
    posted = await relay.client.post(identifier, P3, polygon)
    document = await relay.client.completed(posted.alert_id, within=60 + count / 200)
    if document["counts"] != {"delivered": count}:
        raise ValueError(f"not everybody was told: {document['counts']}")
    used = await relay.store.memory() - used
    return Cost(used / count, grown(keys, await relay.store.sizes(), count))


def grown(before: Mapping[str, int], after: Mapping[str, int], count: int) -> dict[str, float]:
    """Return how many bytes a delivery the server's own accounting finds in the keys of each kind."""
    added = {name: (after[name] - before.get(name, 0)) / count for name in after if name != "directory"}
    return {name: size for name, size in added.items() if size}
