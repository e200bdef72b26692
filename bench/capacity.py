"""Plans for ten and a hundred million people from what was measured for one million: ``python -m bench.capacity``.

The page ``docs/capacity.md`` holds the formulas, the slopes and the plans between two marks; this program writes what
is between them.  A test reads the slopes off the page and holds its plans equal to the formulas below.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import orjson

from bench.figures import short

RESULTS = Path(__file__).parent / "results" / "latest.json"
BEGIN, END = "<!-- made by python -m bench.capacity -->", "<!-- end -->"
_MILLION = 1_000_000
_ROW = re.compile(r"^\| `(\w+)` \| ([\d.]+) \|", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slopes:
    """What one process of one machine does, and what one recipient costs."""

    engine_per_s: float
    webhooks_per_s: float
    mails_per_s: float
    texts_per_s: float
    redis_us: float
    record_bytes: float
    id_bytes: float
    directory_bytes: float
    aof_bytes: float
    worker_mb: float
    worker_mb_per_million: float
    plan_ms_per_million: float
    start_s_per_million: float


MEANING: Mapping[str, tuple[str, str]] = {
    "engine_per_s": ("E1", "deliveries a second of one worker process, provider free of cost"),
    "webhooks_per_s": ("E5", "webhooks a second of one worker process"),
    "mails_per_s": ("E6", "e-mails a second of one worker process"),
    "texts_per_s": ("E6", "SMS parts a second of one worker process, one bind"),
    "redis_us": ("E8", "microseconds of Redis for one delivery"),
    "record_bytes": ("E2", "bytes of Redis for one delivery"),
    "id_bytes": ("E2", "the same where the provider gives ids"),
    "directory_bytes": ("E2", "bytes of Redis for one recipient"),
    "aof_bytes": ("E8", "bytes of append-only file for one delivery"),
    "worker_mb": ("E13", "memory of a worker that knows nobody"),
    "worker_mb_per_million": ("E8", "memory of a worker for each million recipients"),
    "plan_ms_per_million": ("E3", "milliseconds to plan an alert, for each million recipients"),
    "start_s_per_million": ("E11", "seconds from start to first hand-over, for each million recipients and pending"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an operator wants: ``kept`` alerts to everybody in Redis at a time, everybody handed over in ``minutes``.

    ``provider`` is what one contract or bind takes a second; ``busy`` the part of a core that Redis should use at most.
    """

    recipients: int
    minutes: float
    provider: float
    kept: int = 3
    busy: float = 0.5
    reserve: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What that takes."""

    needed_per_s: float
    workers_engine: int
    workers_texts: int
    workers_mails: int
    workers_webhooks: int
    contracts: int
    redis_cores: float
    primaries: int
    redis_gb: float
    machine_gb: float
    aof_gb: float
    aof_mb_per_s: float
    worker_gb: float
    plan_s: float
    start_s: float


def plan(slopes: Slopes, wish: Wish) -> Plan:
    """Apply the formulas of ``docs/capacity.md``."""
    seconds, count = wish.minutes * 60, wish.recipients
    millions, rate = count / _MILLION, count / seconds
    cores = rate * slopes.redis_us / 1e6
    data = count * (slopes.directory_bytes + wish.kept * slopes.id_bytes) / 1e9
    return Plan(
        needed_per_s=rate,
        workers_engine=math.ceil(rate / slopes.engine_per_s),
        workers_texts=math.ceil(rate / slopes.texts_per_s),
        workers_mails=math.ceil(rate / slopes.mails_per_s),
        workers_webhooks=math.ceil(rate / slopes.webhooks_per_s),
        contracts=math.ceil(rate / wish.provider),
        redis_cores=cores,
        primaries=max(1, math.ceil(cores / wish.busy)),
        redis_gb=data / (1 - wish.reserve),
        # While the log is written anew, a copy of what changes meanwhile is held: half as much again.
        machine_gb=1.5 * data / (1 - wish.reserve),
        aof_gb=count * slopes.aof_bytes / 1e9,
        aof_mb_per_s=rate * slopes.aof_bytes / 1e6,
        worker_gb=(slopes.worker_mb + millions * slopes.worker_mb_per_million) / 1e3,
        plan_s=millions * slopes.plan_ms_per_million / 1e3,
        start_s=millions * slopes.start_s_per_million,
    )


WISHES = (
    Wish(recipients=1_000_000, minutes=10, provider=1_000),
    Wish(recipients=10_000_000, minutes=10, provider=1_000),
    Wish(recipients=10_000_000, minutes=60, provider=1_000),
    Wish(recipients=100_000_000, minutes=60, provider=1_000),
)


def slopes_of(results: Mapping[str, Any]) -> Slopes:
    """Read the slopes off a results file.

    Raises:
        LookupError: a figure is missing, or was not measured.
    """
    figures = results["figures"]
    beside = {name: figure["beside"] for name, figure in figures.items()}
    e8, idle = beside["E8"], beside["E13"]["resident_mb"]["worker"]
    millions = e8["recipients"][0] / _MILLION
    recipients, pending = beside["E11"]["recipients_and_pending"]
    return Slopes(
        engine_per_s=figures["E1"]["value"],
        webhooks_per_s=beside["E5"]["relay_per_second"]["median"],
        mails_per_s=beside["E6"]["email"]["relay_per_second"]["median"],
        texts_per_s=beside["E6"]["sms"]["relay_per_second"]["median"],
        redis_us=e8["cpu_us_per_delivery_at_a_million"]["redis"]["median"],
        record_bytes=beside["E2"]["at_100_per_cent"],
        id_bytes=beside["E2"]["with_provider_ids"],
        directory_bytes=beside["E2"]["directory_per_recipient"],
        aof_bytes=e8["aof_bytes_per_delivery"],
        worker_mb=idle,
        worker_mb_per_million=max(0.0, e8["resident_mb_with_a_million"]["worker"] - idle) / millions,
        plan_ms_per_million=beside["E3"]["plan_ms_p50"] / beside["E3"]["recipients"] * _MILLION,
        start_s_per_million=beside["E11"]["seconds_to_first_hand_over"] / max(recipients, pending) * _MILLION,
    )


def slopes_on(page: str) -> Slopes:
    """Read the slopes off the page.

    Raises:
        TypeError: one is missing.
    """
    found = {name: float(value) for name, value in _ROW.findall(page) if name in MEANING}
    return Slopes(**found)


def section(slopes: Slopes, wishes: Sequence[Wish], *, source: str) -> str:
    """Return what stands between the marks: slopes, then a plan in each column."""
    lines = [BEGIN, "", source, "", "| slope | value | figure | what |", "|---|---|---|---|"]
    for name, (figure, what) in MEANING.items():
        lines.append(f"| `{name}` | {float(f'{getattr(slopes, name):.4g}'):.10g} | {figure} | {what} |")
    rounded = slopes_on("\n".join(lines))
    plans = [plan(rounded, wish) for wish in wishes]
    lines += ["", f"| | {' | '.join(title(wish) for wish in wishes)} |", "|---" * (len(wishes) + 1) + "|"]
    for field in fields(Plan):
        values = " | ".join(short(round(float(getattr(one, field.name)), 3)) for one in plans)
        lines.append(f"| {ROWS[field.name]} | {values} |")
    return "\n".join([*lines, "", END])


ROWS: Mapping[str, str] = {
    "needed_per_s": "deliveries a second needed",
    "workers_engine": "workers, provider free of cost",
    "workers_texts": "workers for SMS over SMPP",
    "workers_mails": "workers for e-mail",
    "workers_webhooks": "workers for webhooks",
    "contracts": "provider contracts or binds",
    "redis_cores": "cores that Redis uses",
    "primaries": "Redis primaries",
    "redis_gb": "GB of Redis (`maxmemory`)",
    "machine_gb": "GB of memory for Redis",
    "aof_gb": "GB of append-only file for one alert",
    "aof_mb_per_s": "MB a second to disk meanwhile",
    "worker_gb": "GB of memory for each worker",
    "plan_s": "seconds to plan one alert",
    "start_s": "seconds from start to first hand-over",
}


def title(wish: Wish) -> str:
    """Return the head of a column."""
    return f"{wish.recipients / _MILLION:g} M in {wish.minutes:g} min"


def written(page: str, text: str) -> str:
    """Return the page with ``text`` in place of what is between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    return page[: page.index(BEGIN)] + text + page[page.index(END) + len(END) :]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section, or write it into the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description="Plan for many people.")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help="what ./run bench wrote")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it between the marks of this page")
    parser.add_argument("--recipients", type=float, metavar="N", help="one plan for your own numbers instead of ours")
    parser.add_argument("--minutes", type=float, default=10, metavar="N", help="in which everybody is handed over")
    parser.add_argument("--provider", type=float, default=1000, metavar="N", help="what one contract takes a second")
    parser.add_argument("--kept", type=int, default=3, metavar="N", help="alerts to everybody that Redis holds")
    asked = parser.parse_args(arguments)
    results = orjson.loads(asked.results.read_bytes())
    machine = results["machine"]
    source = (
        f"Measured {results['at'][:10]} on {machine['cores']} × {machine['processor']}, {machine['memory']}, "
        f"{machine['server']}, {results['runs']} runs, load {machine['load_at_begin']} to {machine['load_at_end']}."
    )
    wishes: Sequence[Wish] = WISHES
    if asked.recipients:
        one = Wish(recipients=int(asked.recipients), minutes=asked.minutes, provider=asked.provider, kept=asked.kept)
        wishes = (one,)
    text = section(slopes_of(results), wishes, source=source)
    if asked.write is None:
        print(text)
    else:
        asked.write.write_text(written(asked.write.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
