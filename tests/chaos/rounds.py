"""One round: a relay, a load, faults; then everything is healed, the relay gets its time, and the judge looks."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.relay_side import ROOT
from tests.chaos.client import Client
from tests.chaos.dump import drained, dump
from tests.chaos.faults import KINDS, Planned, plan
from tests.chaos.inject import Injector
from tests.chaos.judge import judge
from tests.chaos.log import Log
from tests.chaos.mix import Mix
from tests.chaos.reading import load
from tests.chaos.stage import Stage, stage
from tests.chaos.verdict import Finding, Verdict

Say = Callable[[str], None]

#: Seconds in which everything must have ended once all is healed.
DRAIN = 60.0
#: What a round may take beyond its load before it is given up.
LONGEST = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round is: the same values give the same alerts and the same faults.

    ``topology`` is private (the relay's own server), standalone (the operator's, through a proxy), sentinel, cluster.
    ``faults`` replaces the drawn ones; ``root`` is the tree whose relay runs.
    """

    seed: int
    topology: str = "private"
    seconds: float = 25.0
    rate: float = 8.0
    crowd: int = 60
    bursts: int = 2
    workers: int = 2
    faults: tuple[Planned, ...] | None = None
    drain: float = DRAIN
    root: Path = ROOT

    @property
    def command(self) -> str:
        """What repeats it."""
        own = {"seconds": 25.0, "rate": 8.0, "workers": 2}
        more = "".join(
            f" --{name} {getattr(self, name):g}" for name, usual in own.items() if getattr(self, name) != usual
        )
        return f"./run chaos --seed {self.seed} --rounds 1 --topology {self.topology}{more}"

    @property
    def planned(self) -> Sequence[Planned]:
        """What is done to it, and when."""
        return self.faults if self.faults is not None else plan(self.seed, KINDS[self.topology], seconds=self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a round; ``folder`` is kept when the judge is not content."""

    round: Round
    verdict: Verdict
    took: float
    drain: float
    folder: Path

    @property
    def document(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "seed": self.round.seed,
            "topology": self.round.topology,
            "seconds": self.round.seconds,
            "rate": self.round.rate,
            "workers": self.round.workers,
            "command": self.round.command,
            "took": round(self.took, 1),
            "drain": round(self.drain, 1),
            "content": self.verdict.content,
            "broken": dict(self.verdict.broken),
            "findings": [asdict(finding) for finding in self.verdict.findings[:20]],
            **self.verdict.figures,
        }


async def run(given: Round, say: Say, *, keep: bool = False) -> Result:
    """Play a round and judge it; its folder goes when all is well, unless ``keep``."""
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{given.seed}-"))
    began = time.monotonic()
    drain, missed = 0.0, ""
    async with AsyncExitStack() as stack:
        try:
            made = await stack.enter_async_context(
                stage(
                    folder,
                    seed=given.seed,
                    topology=given.topology,
                    crowd=given.crowd,
                    workers=given.workers,
                    root=given.root,
                )
            )
            async with asyncio.timeout(given.seconds + LONGEST):
                drain = await _play(given, made, folder, say)
        except* Exception as group:  # noqa: BLE001 - whatever went wrong with one round is its result
            missed = "; ".join(_said(group))
    if missed:
        verdict = Verdict([Finding("T", f"the round could not be played: {missed}")])
    else:
        verdict = judge(load(folder))
        if drain > given.drain:
            verdict.add([Finding("T", f"not everything had ended {given.drain:.0f} s after all was healed")])
    if verdict.content and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return Result(round=given, verdict=verdict, took=time.monotonic() - began, drain=drain, folder=folder)


async def _play(given: Round, made: Stage, folder: Path, say: Say) -> float:
    """Load and hurt the relay, heal it, wait for the end; return how long that last took."""
    planned = given.planned
    say(
        f"seed {given.seed} {given.topology}: {', '.join(f'{p.kind.target} {p.kind.name}' for p in planned) or 'no fault'}"
    )
    client = Client(folder / "client.jsonl", Mix(given.seed), origin=lambda: made.relay.url, key=lambda: made.key)
    try:
        with Log(folder / "faults.jsonl") as faults:
            async with asyncio.TaskGroup() as tasks:
                lag = tasks.create_task(_lag(folder / "lags.jsonl"), name="lag")
                drain = await _load(given, made, client, faults)
                lag.cancel()
        await dump(made, folder / "api.json")
    finally:
        await client.close()
    return drain


async def _load(given: Round, made: Stage, client: Client, faults: Log) -> float:
    """Post and break at the same time, then let it heal and end; return how long that last took."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run(rate=given.rate, seconds=given.seconds, bursts=given.bursts), name="load")
        tasks.create_task(client.watch(seconds=given.seconds), name="watch")
        tasks.create_task(Injector(made, faults).run(given.planned), name="faults")
    await made.whole()
    healed = time.monotonic()
    await client.settle_doubts()
    done = await drained(made, within=given.drain)
    return time.monotonic() - healed if done else given.drain + 1.0


async def _lag(path: Path) -> None:
    """Write down when this process was not served by the machine: then nobody's clock was looked at in time."""
    loop = asyncio.get_running_loop()
    with Log(path) as lags:
        while True:
            began = loop.time()
            await asyncio.sleep(0.05)
            late = loop.time() - began - 0.05
            if late > 0.1:
                lags.write(late=round(late, 3))


def _said(group: BaseExceptionGroup[Exception]) -> Iterator[str]:
    """Yield what went wrong, the innermost errors only."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _said(error)
        else:
            yield f"{type(error).__name__}: {error}"[:400]
