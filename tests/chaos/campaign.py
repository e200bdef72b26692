"""Many rounds: seeds one after the other until the time is over, a line for each, a table and JSON at the end."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bench.processes import machine
from tests.chaos.mutants import commit_of
from tests.chaos.rounds import Result, Round, Say, run
from tests.chaos.verdict import CHECKS

#: What a round takes beyond its load, about: starting, healing, ending, judging.
OVERHEAD = 14.0

Topologies = Sequence[str]


async def campaign(
    first: Round, *, seconds: float, rounds: int, topologies: Topologies, say: Say, keep: bool
) -> list[Result]:
    """Play rounds with seeds from ``first.seed`` on: ``rounds`` of them, or as many as begin and end within ``seconds``."""
    began = time.monotonic()
    results: list[Result] = []
    longest = first.seconds + OVERHEAD
    while len(results) < rounds if rounds else time.monotonic() - began + longest <= seconds or not results:
        at = len(results)
        given = _next(first, at, topologies)
        result = await run(given, say, keep=keep)
        results.append(result)
        longest = max(longest, result.took) if at else result.took
        say(line(result))
        for finding in result.verdict.findings[:12]:
            say(f"    {finding.check} {finding.said}")
        if not result.verdict.content:
            say(f"    again: {given.command}    logs: {result.folder}")
    return results


def _next(first: Round, at: int, topologies: Topologies) -> Round:
    return replace(first, seed=first.seed + at, topology=topologies[(first.seed + at) % len(topologies)])


def line(result: Result) -> str:
    """Return one round in one line."""
    f = result.verdict.figures
    said = "content" if result.verdict.content else f"NOT CONTENT {dict(result.verdict.broken)}"
    if not f:
        return f"seed {result.round.seed} {result.round.topology}: {said}"
    return (
        f"seed {result.round.seed} {result.round.topology}: {said}; {f['alerts']} alerts, {f['deliveries']} deliveries, "
        f"{f['sends']} sends, {f['copies']} copies ({f['dropped_by_receiver']} to receivers that drop them), "
        f"{f['labelled']} labelled; drained in {result.drain:.1f} s, {result.took:.0f} s in all"
    )


def document(results: Sequence[Result]) -> dict[str, Any]:
    """Return everything as JSON: the machine, the sums, each round."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit_of(),
        "machine": {**machine(), "load": f"{os.getloadavg()[0]:.1f}"},
        "content": all(result.verdict.content for result in results),
        "minutes": round(sum(result.took for result in results) / 60, 1),
        "sums": sums([result.document for result in results]),
        "rounds": [result.document for result in results],
    }


def sums(rounds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add the figures of all rounds."""
    names = ("alerts", "deliveries", "sends", "copies", "dropped_by_receiver", "labelled", "bound")
    total: dict[str, Any] = {name: sum(r.get(name, 0) for r in rounds) for name in names}
    for name in ("states", "faults", "answers", "broken"):
        total[name] = dict(sum((Counter(r.get(name, {})) for r in rounds), Counter[str]()))
    return total


def table(results: Sequence[Result]) -> str:
    """Return the checks with what broke them, and the sums."""
    broken: Counter[str] = Counter()
    for result in results:
        broken += result.verdict.broken
    total = sums([result.document for result in results])
    rows = [f"{check:<4} {word:<20} {broken[check]:>6}" for check, word in CHECKS.items()]
    rows += ["", *(f"{name:<25} {total[name]:>6}" for name in total if isinstance(total[name], int))]
    failed = [result for result in results if not result.verdict.content]
    rows += ["", f"{len(results)} rounds, {len(failed)} of them not content"]
    rows += [f"again: {result.round.command}" for result in failed]
    return "\n".join(rows)
