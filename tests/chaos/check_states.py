"""C9: what has ended does not go back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.check_fate import TERMINAL
from tests.chaos.history import History, Look, Pair
from tests.chaos.verdict import Finding

#: What a later truth may still make of an end: a receipt, an answer, or a person's word.
LATER = {
    "delivered": {"acknowledged"},
    "delivered_unconfirmed": {"delivered", "acknowledged", "failed"},
    "possibly_sent": {"delivered", "delivered_unconfirmed", "acknowledged", "failed"},
}

#: Seconds until workers have told a new primary what they settled last.
SOON = 5.0


def states(h: History) -> Iterator[Finding]:
    """Compare every look in passing with the next one, and the last one with the final account."""
    seen: dict[tuple[str, Pair], list[Look]] = defaultdict(list)
    for look in sorted(h.looks, key=lambda one: one.t):
        seen[look.alert, look.pair].append(look)
    final = {(a["id"], (row["recipient"], row["kind"])): row for a in h.alerts for row in a["rows"]}
    for key, looks in seen.items():
        row: Mapping[str, Any] | None = final.get(key)
        after = [Look(t=h.ended, alert=key[0], pair=key[1], state=row["state"])] if row is not None else []
        for one, two in zip(looks, [*looks[1:], *after], strict=False):
            back = one.state in TERMINAL and two.state != one.state and two.state not in LATER.get(one.state, set())
            if back and not _excused(h, one, two):
                yield Finding("C9", f"{one.state} at {one.t:.2f} is {two.state} at {two.t:.2f}: {key[0]} {key[1]}")


def _excused(h: History, one: Look, two: Look) -> bool:
    """Whether Redis may have forgotten it between two looks.

    What a flush has lost is planned anew and waits again, labelled.  A replica that takes over may lack the last
    writes for a moment, until the workers have told them again; in the end they must be there.
    """
    passing = two.t < h.ended
    return any(
        (f.loses or (passing and f.target == "redis")) and one.t <= f.end + SOON and f.begin <= two.t for f in h.faults
    )
