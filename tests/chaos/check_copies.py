"""C4: whoever is told twice is labelled so, and every copy has a fault that explains it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.chaos.history import Fault, History, Pair, Send
from tests.chaos.verdict import Finding

#: A fault can make a copy of what was sent at most so many seconds before it began or after all was whole again:
#: one unsettled batch, one send's time-out, one lease.
REACH = 5.0
#: Workers remember ten seconds of what they settled; with room for a slow machine.
REMEMBERED = 8.5
#: What was sent this long before a loss may not have been settled yet.
UNSETTLED = 3.0


def copies(h: History) -> Iterator[Finding]:
    """C4: every copy is labelled; C4b: every copy and every label has its reason in the fault log."""
    rows = _rows(h)
    for (number, pair), sends in h.of_sends.items():
        taken = [send for send in sends if send.took]
        row = rows.get((number, pair))
        for first, second in itertools.pairwise(taken):
            where = f"{number} {pair} at {first.t:.2f} and {second.t:.2f}"
            if row is not None and not row["possible_duplicate"]:
                yield Finding("C4", f"sent twice and not labelled ({row['state']}): {where}")
            if not any(explains(fault, first, second) for fault in h.faults):
                yield Finding("C4b", f"sent twice and nothing was wrong: {where}")
    yield from _bodies(h)
    for (number, pair), row in rows.items():
        begin = datetime.fromisoformat(row["times"]["queued"]).timestamp() - REACH
        if row["possible_duplicate"] and not h.faults_in(begin, h.ended):
            yield Finding("C4b", f"labelled and nothing was wrong: {number} {pair}")


def _bodies(h: History) -> Iterator[Finding]:
    """A receiver that drops a second ``webhook-id`` must not miss anything by that."""
    bodies: dict[tuple[str, str], set[str]] = defaultdict(set)
    for send in h.sends:
        if send.kind == "webhook" and "body" in send.line:
            bodies[send.to, send.line["delivery"]].add(send.line["body"])
    for (to, delivery), seen in bodies.items():
        if len(seen) > 1:
            yield Finding("C3", f"{len(seen)} bodies under one webhook-id: {delivery} to {to}")


def explains(fault: Fault, first: Send, second: Send) -> bool:
    """Whether a fault can be why ``second`` was sent after ``first``."""
    if fault.begin > second.t:
        return False
    if fault.loses:
        # Workers tell Redis again what they settled in the last ten seconds; what is older is sent again.
        return first.t <= fault.begin - REMEMBERED or first.t >= fault.begin - UNSETTLED
    return fault.begin - REACH <= first.t <= fault.end + REACH


def figures(h: History) -> dict[str, int]:
    """Return how many were sent twice, how many of those to a receiver that drops copies, and how many are labelled.

    ``bound`` is how many sends a fault could have made twice.
    """
    twice = {key: sum(s.took for s in sends) - 1 for key, sends in h.of_sends.items() if sum(s.took for s in sends) > 1}
    labelled = sum(bool(row["possible_duplicate"]) for row in _rows(h).values())
    near = sum(
        any(f.loses or f.begin - REACH <= send.t <= f.end + REACH for f in h.faults) for send in h.sends if send.took
    )
    return {
        "copies": sum(twice.values()),
        "dropped_by_receiver": sum(n for (_, pair), n in twice.items() if pair[1] == "webhook"),
        "labelled": labelled,
        "bound": near,
    }


def _rows(h: History) -> dict[tuple[int, Pair], Mapping[str, Any]]:
    return {
        (number, (row["recipient"], row["kind"])): row
        for number, shown in h.shown.items()
        for alert in shown[:1]
        for row in alert["rows"]
    }
