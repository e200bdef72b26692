"""E2: how much of Redis a tracked delivery takes, when everybody is told and when one in a hundred is."""

from __future__ import annotations

from dataclasses import replace

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


async def measure(sizes: Sizes, say: Say) -> Figure:
    """Start a relay, import, and look at its memory after each alert."""
    async with running(silent("null"), say=say) as relay:
        await relay.fill(village())
        await _cost(relay, "warm", VILLAGE.polygon, WARM)
        empty = await relay.store.memory()
        await relay.fill(replace(crowd(sizes), every=_FEW))
        full = await relay.store.memory()
        before = await relay.store.sizes()
        some_told = await _cost(relay, "some", VALLEY.polygon, -(-sizes.crowd // _FEW))
        some = await relay.store.sizes()
        all_told = await _cost(relay, "everybody", EVERYWHERE, sizes.crowd + WARM)
        everybody = await relay.store.sizes()
    return Figure(
        name="E2",
        what=WHAT,
        value=max(all_told, some_told),
        target=TARGET,
        conditions={"directory_per_recipient": DIRECTORY},
        beside={
            "at_100_per_cent": all_told,
            "at_1_per_cent": some_told,
            "directory_per_recipient": (full - empty) / sizes.crowd,
            "recipients": sizes.crowd,
            "keys_at_100_per_cent": _grown(some, everybody, sizes.crowd + WARM),
            "keys_at_1_per_cent": _grown(before, some, -(-sizes.crowd // _FEW)),
        },
    )


async def _cost(relay: Relay, identifier: str, polygon: str, count: int) -> float:
    """Send one alert and return the bytes that each of its ``count`` deliveries has added."""
    before = await relay.store.memory()
    relay.say(f"one alert to {count:,} recipients")
    posted = await relay.client.post(identifier, P3, polygon)
    document = await relay.client.completed(posted.alert_id, within=60 + count / 200)
    if document["counts"] != {"delivered": count}:
        raise ValueError(f"not everybody was told: {document['counts']}")
    return (await relay.store.memory() - before) / count


def _grown(before: dict[str, int], after: dict[str, int], count: int) -> dict[str, float]:
    """Return how many bytes a delivery the server's own accounting finds in the keys of each kind."""
    grown = {name: (after[name] - before.get(name, 0)) / count for name in after if name != "directory"}
    return {name: size for name, size in grown.items() if size}
