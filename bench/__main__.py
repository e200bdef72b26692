"""``python -m bench [E1 E2 …] [--runs N] [--quick] [--peers]``: measure, print a table, write ``bench/results``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import structlog

from bench.catalogue import FIGURES
from bench.directories import Directories
from bench.figures import Figure, document, table
from bench.job import Job
from bench.peers import comparison as peers
from bench.processes import load, machine
from bench.sizes import QUICK, Sizes

RESULTS = Path(__file__).parent / "results"
_MINUTES = 40.0
_LEAST = 5.0
_IMPORT = 240.0  # seconds more for the figure that needs the million recipients first


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; 0 when all of it could be measured, whatever it reads, else 1."""
    asked = _arguments(arguments)
    sizes = QUICK if asked.quick else Sizes()
    if asked.recipients:
        sizes = replace(sizes, crowd=asked.recipients)
    sizes = replace(sizes, runs=asked.runs or sizes.runs)
    about: dict[str, object] = {**machine(), "load_at_begin": load()}
    print("\n".join(f"{name:<14} {value}" for name, value in about.items()))
    began, when = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    figures, beside = asyncio.run(_all(asked, sizes))
    about |= {**server_of(figures), "load_at_end": load()}
    minutes = round((time.perf_counter() - began) / 60, 1)
    figures = [peers.beside(figure, beside) if figure.name == "E1" else figure for figure in figures]
    print(f"\n{table(figures)}\n")
    target = Path(asked.output) if asked.output else RESULTS / f"{asked.name}.json"
    written = document(
        figures, machine=about, at=when, minutes=minutes, runs=sizes.runs, quick=asked.quick, peers=beside
    )
    _write(target, orjson.dumps(written, option=orjson.OPT_INDENT_2))
    print(f"{minutes} minutes; load {about['load_at_begin']} to {about['load_at_end']}; written to {target}")
    return 0 if all(figure.value is not None for figure in figures) else 1


async def _all(asked: argparse.Namespace, sizes: Sizes) -> tuple[list[Figure], peers.Rates]:
    """Measure one figure after the other; one that fails does not stop the next."""
    names = asked.figures or list(FIGURES)
    ends = time.perf_counter() + asked.minutes * 60
    directories = Directories(sizes)
    try:
        # Beside E1, so that both meet the machine in the same mood.
        figures = [await _one(name, sizes, directories, ends) for name in names[:1]]
        rates = await peers.measure(sizes, _say("peers")) if asked.peers else {}
        figures += [await _one(name, sizes, directories, ends) for name in names[1:]]
    finally:
        directories.close()
    return figures, rates


async def _one(name: str, sizes: Sizes, directories: Directories, ends: float) -> Figure:
    entry, say = FIGURES[name], _say(name)
    longest = entry.longest * max(1.0, sizes.runs / 3) + (0 if directories.made else _IMPORT)
    left = min(longest, ends - time.perf_counter())
    try:
        if left < _LEAST:
            raise TimeoutError("the time for all figures was up (--minutes)")  # noqa: TRY301 -- told as all others are
        async with asyncio.timeout(left):
            return await entry.measure(Job(sizes, say, directories))
    except Exception as error:  # noqa: BLE001 -- whatever went wrong with one figure is shown in its place
        said = f"{type(error).__name__}: {error}"
        say(said)
        return Figure(name=name, what=entry.what, value=None, target=entry.target, beside={"error": said})


def server_of(figures: Sequence[Figure]) -> dict[str, str]:
    """Return the server's family, version and rule for its log, when a figure has noted them."""
    noted = next((figure.beside for figure in figures if "server" in figure.beside), {})
    return {name: str(noted[name]) for name in ("server", "aof") if name in noted}


def _say(name: str) -> Callable[[str], None]:
    began = time.perf_counter()
    return lambda text: print(f"{name:<5} {time.perf_counter() - began:6.1f} s  {text}", flush=True)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description="Measure what we claim, on this machine.")
    parser.add_argument(
        "figures", nargs="*", metavar="E1", help=f"which of {', '.join(FIGURES)}; all when none is named"
    )
    parser.add_argument("--runs", type=int, metavar="N", help=f"how often each figure is taken, else {Sizes().runs}")
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it works, not how fast it is")
    parser.add_argument("--peers", action="store_true", help="BullMQ, arq and Celery beside E1; fetched once")
    parser.add_argument("--recipients", type=int, metavar="N", help=f"who gets a large alert, else {Sizes().crowd:,}")
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="what is not measured by then is left out")
    parser.add_argument("--name", default="latest", metavar="NAME", help="write bench/results/NAME.json")
    parser.add_argument("--output", metavar="FILE", help="write there instead")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.figures if name not in FIGURES]
    if unknown:
        parser.error(f"no figure is called {', '.join(unknown)}")
    return asked


def _write(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(text + b"\n")
    draft.replace(path)


if __name__ == "__main__":
    # The servers that are started for the peers would say so in their own words, between our lines.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    # Whoever ends us politely gets the same as with Ctrl-C: relays ended, folders removed.  The shell of a script lets
    # what it starts in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    sys.exit(main())
