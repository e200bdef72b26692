"""``python -m bench [E1 E2 …] [--quick]``: measure, print a table, write ``bench/results/<name>.json``."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from bench import e1, e2, e4, e5
from bench.figures import Figure, Target, document, table
from bench.processes import machine
from bench.relay import Say
from bench.sizes import QUICK, Sizes

RESULTS = Path(__file__).parent / "results"
_LONGEST = 1800.0

Measure = Callable[[Sizes, Say], Awaitable[Figure]]

FIGURES: Mapping[str, tuple[Measure, Target, str]] = {
    "E1": (e1.measure, e1.TARGET, e1.WHAT),
    "E2": (e2.measure, e2.TARGET, e2.WHAT),
    "E4": (e4.measure, e4.TARGET, e4.WHAT),
    "E5": (e5.measure, e5.TARGET, e5.WHAT),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; 0 when all of it could be measured, whatever it reads, else 1."""
    asked = _arguments(arguments)
    sizes = QUICK if asked.quick else Sizes()
    if asked.recipients:
        sizes = replace(sizes, crowd=asked.recipients)
    about = machine()
    print("\n".join(f"{name:<10} {value}" for name, value in about.items()))
    figures = asyncio.run(_all(asked.figures or list(FIGURES), sizes))
    print(f"\n{table(figures)}\n")
    target = Path(asked.output) if asked.output else RESULTS / f"{asked.name}.json"
    load = f"{os.getloadavg()[0]:.1f}"
    when = datetime.now(UTC).isoformat(timespec="seconds")
    _write(
        target,
        orjson.dumps(
            document(figures, machine=about, at=when, load=load, quick=asked.quick), option=orjson.OPT_INDENT_2
        ),
    )
    print(f"written to {target}")
    return 0 if all(figure.value is not None for figure in figures) else 1


async def _all(names: Sequence[str], sizes: Sizes) -> list[Figure]:
    """Measure one figure after the other; one that fails does not stop the next."""
    figures = []
    for name in names:
        measure, target, what = FIGURES[name]
        began = time.perf_counter()

        def say(text: str, *, name: str = name, began: float = began) -> None:
            print(f"{name} {time.perf_counter() - began:6.1f} s  {text}", flush=True)

        try:
            async with asyncio.timeout(_LONGEST):
                figures.append(await measure(sizes, say))
        except Exception as error:  # noqa: BLE001 -- whatever went wrong with one figure is shown in its place
            said = f"{type(error).__name__}: {error}"
            say(said)
            figures.append(Figure(name=name, what=what, value=None, target=target, beside={"error": said}))
    return figures


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description="Measure what we claim, on this machine.")
    parser.add_argument(
        "figures", nargs="*", metavar="E1", help=f"which of {', '.join(FIGURES)}; all when none is named"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it works, not how fast it is")
    parser.add_argument("--recipients", type=int, metavar="N", help=f"who gets a large alert, else {Sizes().crowd:,}")
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
    sys.exit(main())
