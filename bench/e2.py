"""E2: how much of Redis a tracked delivery takes: everybody told, one in a hundred told, and with provider ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.alerts import P3
from bench.configuration import silent, smpp
from bench.directories import city, town
from bench.figures import Figure, Target
from bench.job import Job
from bench.people import CITY, EVERYWHERE, TOWN, VALLEY, VILLAGE, Crowd
from bench.relay import Relay, running
from bench.sinks import sink

TARGET = Target(limit=30, unit="bytes", most=True)
IDS = Target(limit=56, unit="bytes", most=True)
DIRECTORY = Target(limit=600, unit="bytes", most=True)
WHAT = "Redis per tracked delivery, directory apart: the worse of 100 % and 1 % targeting"
_WARM = 200


@dataclass(frozen=True, slots=True)
class Cost:
    """What one alert added, in bytes a delivery: to the server's used memory, and by the keys that hold it."""

    used: float
    keys: dict[str, float]

    @property
    def worse(self) -> float:
        """The larger of the two: used memory also moves by what clients had borrowed and give back meanwhile."""
        return max(self.used, sum(self.keys.values()))


async def measure(job: Job) -> Figure:
    """Look at a relay's memory after each alert; then at one whose provider gives ids."""
    sizes = job.sizes
    everyone, some = city(sizes), town(sizes)
    async with job.directories.million(job.say) as folder, running(silent("null"), say=job.say, folder=folder) as relay:
        await _cost(relay, "warm", TOWN.polygon, some.count)
        # All that is there before the first large alert: little else than the directory.
        directory = await relay.store.memory() / (everyone.count + some.count)
        few = await _cost(relay, "some", VALLEY.polygon, everyone.elsewhere)
        all_ = await _cost(relay, "everybody", EVERYWHERE, everyone.count)
    ids = await _with_ids(job)
    return Figure(
        name="E2",
        what=WHAT,
        value=max(few.worse, all_.worse),
        target=TARGET,
        conditions={"with_provider_ids": IDS, "directory_per_recipient": DIRECTORY},
        beside={
            "at_100_per_cent": all_.worse,
            "at_1_per_cent": few.worse,
            "with_provider_ids": ids.worse,
            "directory_per_recipient": directory,
            "recipients": everyone.count,
            "used_memory_at_100_and_1_per_cent_and_with_ids": [all_.used, few.used, ids.used],
            "keys_at_100_per_cent": all_.keys,
            "keys_at_1_per_cent": few.keys,
            "keys_with_provider_ids": ids.keys,
        },
    )


async def _with_ids(job: Job) -> Cost:
    """Let an SMS centre give every message an id and keep its receipts to itself: the most there ever is to keep."""
    count = job.sizes.ids
    async with sink("bench.smpp_sink") as centre:
        channel = smpp("sms", port=centre.port)
        async with running(channel, say=job.say) as relay:
            await relay.fill(
                Crowd(count=count, prefix="city", kind="sms", address="+7701{n:07d}", place=CITY),
                Crowd(count=_WARM, prefix="village", kind="sms", address="+7702{n:07d}", place=VILLAGE),
            )
            await _cost(relay, "warm", VILLAGE.polygon, _WARM, state="accepted")
            return await _cost(relay, "with-ids", CITY.polygon, count, state="accepted")


async def _cost(relay: Relay, identifier: str, polygon: str, count: int, *, state: str = "delivered") -> Cost:
    """Send one alert to ``count`` recipients and return what it added."""
    relay.say(f"{identifier}: one alert to {count:,} recipients")
    keys, used = await relay.store.sizes(), await relay.store.memory()
    posted = await relay.client.post(identifier, P3, polygon, brief=True)
    await relay.client.counted(posted.alert_id, {state: count}, within=60 + count / 200)
    used = await relay.store.memory() - used
    return Cost(used / count, grown(keys, await relay.store.sizes(), count))


def grown(before: Mapping[str, int], after: Mapping[str, int], count: int) -> dict[str, float]:
    """Return how many bytes a delivery the server's own accounting finds in the keys of each kind."""
    added = {name: (after[name] - before.get(name, 0)) / count for name in after if name != "directory"}
    return {name: size for name, size in added.items() if size}
