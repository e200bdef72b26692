"""E1's peers: BullMQ, arq and Celery, each on a server of its own that is set up as the relay's is."""

from __future__ import annotations

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from bench.client import NotReached
from bench.figures import Figure, Target
from bench.relay import Say, new_folder
from bench.sizes import Sizes
from bench.stats import median, spread
from relay.clock import SystemClock
from relay.process import terminate
from relay.store.embedded import EmbeddedServer

HOME = Path(__file__).parents[2] / ".cache" / "peers"
_HERE = Path(__file__).parent
_WITHIN = 90.0

Rates = dict[str, Any]
"""By peer: what it did a second, or why it was left out."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer: its program, the words that start it, how many jobs it runs at once, and how often E1 should beat it."""

    name: str
    program: Path
    words: tuple[str, ...]
    at_once: int
    times: float


@dataclass(frozen=True, slots=True)
class Took:
    """The seconds of adding and of processing so many jobs."""

    jobs: int
    added: float
    processed: float

    @property
    def per_second(self) -> float:
        """Jobs a second from the first one added to the last result."""
        return self.jobs / (self.added + self.processed)


PEERS = (
    Peer("bullmq", HOME / "bullmq.mjs", ("node",), 200, 6),
    Peer("arq", _HERE / "arq_jobs.py", (str(HOME / "venv" / "bin" / "python"),), 1000, 30),
    Peer("celery", _HERE / "celery_jobs.py", (str(HOME / "venv" / "bin" / "python"),), 16, 90),
)


async def measure(sizes: Sizes, say: Say) -> Rates:
    """Let each peer work ``sizes.runs`` times, on an empty server each time."""
    jobs = {"bullmq": sizes.jobs_bullmq, "arq": sizes.jobs_arq, "celery": sizes.jobs_celery}
    found: Rates = {}
    for peer in PEERS:
        if missing := missing_of(peer):
            found[peer.name] = {"left_out": missing}
            say(f"{peer.name} is left out: {missing}")
            continue
        try:
            found[peer.name] = shown([await _surely(peer, jobs[peer.name]) for _ in range(sizes.runs)])
            say(f"{peer.name}: {found[peer.name]['per_second']['median']:,.0f} jobs a second")
        except (NotReached, TimeoutError, OSError) as error:
            found[peer.name] = {"left_out": f"{type(error).__name__}: {error}"}
            say(f"{peer.name}: {error}")
    return found


def missing_of(peer: Peer) -> str:
    """Return what a peer lacks to run; empty when it lacks nothing."""
    if shutil.which(peer.words[0]) is None:
        return f"there is no {Path(peer.words[0]).name}; ./run bench --peers sets it up where it can"
    if peer.name == "bullmq" and not (HOME / "node_modules").is_dir():
        return "it is not installed; ./run bench --peers does it where npm is"
    return ""


def shown(runs: Sequence[Took]) -> Mapping[str, object]:
    """Return what a peer did: jobs a second from the first one added to the last result, and each half by itself."""
    return {
        "per_second": spread([took.per_second for took in runs]),
        "added_per_second": median([took.jobs / took.added for took in runs]),
        "processed_per_second": median([took.jobs / took.processed for took in runs]),
        "jobs": runs[0].jobs,
    }


def beside(figure: Figure, rates: Rates) -> Figure:
    """Return E1 with the peers beside it, and how many times it does what each of them does."""
    if figure.value is None or not rates:
        return figure
    # The peers' time begins with the first job added, so ours begins with the alert's 202: its plan counts.
    own = figure.beside["per_second_from_202_to_completed"]["median"]
    times, targets, more = {}, {}, {}
    for peer in PEERS:
        told = rates.get(peer.name, {})
        if "per_second" in told:
            times[f"times_{peer.name}"] = own / told["per_second"]["median"]
            targets[f"times_{peer.name}"] = Target(limit=peer.times, unit="×")
        more[peer.name] = told
    return replace(
        figure,
        beside={**times, **figure.beside, **{f"{name}_jobs": told for name, told in more.items()}},
        conditions={**figure.conditions, **targets},
    )


async def _surely(peer: Peer, jobs: int) -> Took:
    """Run a peer; once more when it hung."""
    try:
        return await _run(peer, jobs)
    except TimeoutError:
        return await _run(peer, jobs)


async def _run(peer: Peer, jobs: int) -> Took:
    async with _server() as socket:
        words = [*peer.words, str(peer.program), str(socket), str(jobs), str(peer.at_once)]
        process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=DEVNULL)
        try:
            async with asyncio.timeout(_WITHIN):
                said, _ = await process.communicate()
        finally:
            await terminate(process, grace=5)
    if process.returncode or not said:
        raise NotReached(f"it ended with {process.returncode}")
    told = orjson.loads(said)
    if told["kept"] < jobs:
        raise NotReached(f"of {jobs} jobs {told['kept']} have a result")
    return Took(jobs, told["added"], told["processed"])


@asynccontextmanager
async def _server() -> AsyncIterator[Path]:
    """Start the relay's own private server without a relay: the same program, the same settings, nothing in it."""
    folder = new_folder()
    server = EmbeddedServer(folder, clock=SystemClock())
    try:
        yield Path(unquote(urlsplit(await server.start()).path))
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)
