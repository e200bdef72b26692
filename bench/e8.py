"""E8: whether a delivery of a very large alert costs more processor time than one of a small alert."""

from __future__ import annotations

from bench.alerts import P3
from bench.client import NotReached
from bench.configuration import silent
from bench.directories import city, town
from bench.figures import Figure, Target
from bench.job import Job
from bench.people import EVERYWHERE, TOWN
from bench.processes import memory_of, used
from bench.relay import Relay, running
from bench.stats import median, spread

TARGET = Target(limit=1.1, unit="×", most=True)
WHAT = "processor time per delivery of a million against ten thousand"
_SLOWEST = 200


async def measure(job: Job) -> Figure:
    """Send to few and to everybody in turn; count the processor time of API, worker and Redis."""
    sizes = job.sizes
    few, everybody = town(sizes).count, city(sizes).count
    large, small, logged, held = [], [], [], {}
    async with job.directories.million(job.say) as folder, running(silent("null"), say=job.say, folder=folder) as relay:
        await _cost(relay, "warm", TOWN.polygon, few, times=1)
        for number in range(sizes.runs):
            job.say(f"run {number + 1}: {sizes.bursts} × {few:,} and 1 × {everybody:,}")
            small.append(await _cost(relay, f"few-{number}", TOWN.polygon, few, times=sizes.bursts))
            before = await relay.store.log_size()
            large.append(await _cost(relay, f"all-{number}", EVERYWHERE, everybody, times=1))
            logged += _grown(before, await relay.store.log_size(), everybody)
        held = {name: memory_of(pid).resident / 1e6 for name, pid in relay.processes().items()}
    ratios = [sum(many.values()) / sum(one.values()) for many, one in zip(large, small, strict=True)]
    return Figure(
        name="E8",
        what=WHAT,
        value=median(ratios),
        target=TARGET,
        samples=ratios,
        beside={
            "recipients": [everybody, few],
            "aof_bytes_per_delivery": median(logged) if logged else None,
            "resident_mb_with_a_million": held,
            "cpu_us_per_delivery_at_a_million": _spreads(large),
            "cpu_us_per_delivery_at_ten_thousand": _spreads(small),
        },
    )


async def _cost(relay: Relay, identifier: str, polygon: str, count: int, *, times: int) -> dict[str, float]:
    """Send so many alerts, one after the other; return microseconds of processor a delivery, by process."""
    before = relay.cpu()
    for number in range(times):
        posted = await relay.client.post(f"{identifier}-{number}", P3, polygon)
        document = await relay.client.completed(posted.alert_id, within=60 + count / _SLOWEST)
        if document["counts"] != {"delivered": count}:
            raise NotReached(f"not everybody was told: {document['counts']}")
    return {name: seconds / count / times * 1e6 for name, seconds in used(before, relay.cpu()).items()}


def _grown(before: tuple[int, int], after: tuple[int, int], count: int) -> list[float]:
    """Return by how many bytes a delivery the log has grown; nothing when it was written anew meanwhile."""
    return [(after[0] - before[0]) / count] if before[1] == after[1] else []


def _spreads(costs: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    return {name: spread([cost[name] for cost in costs]) for name in costs[0]}
