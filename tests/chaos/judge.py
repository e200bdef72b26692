"""The judge: puts all checks to one history.  It knows the design and the logs, and nothing of the relay's code."""

from __future__ import annotations

from collections import Counter

from tests.chaos import check_answers, check_copies, check_fate, check_states, check_time
from tests.chaos.history import History
from tests.chaos.verdict import Verdict


def judge(h: History) -> Verdict:
    """Return everything that broke a promise, and the figures of the round."""
    verdict = Verdict()
    for check in (
        check_fate.fates,
        check_fate.strangers,
        check_copies.copies,
        check_time.late,
        check_time.priority,
        check_answers.answers,
        check_answers.counters,
        check_states.states,
    ):
        verdict.add(check(h))
    states = Counter(row["state"] for alert in h.alerts for row in alert["rows"])
    verdict.figures = {
        "alerts": len(h.alerts),
        "deliveries": states.total(),
        "states": dict(states),
        "sends": len(h.sends),
        "looks": len(h.looks),
        "machine_busy_s": round(h.lag(0.0, h.ended), 2),
        **check_copies.figures(h),
        "answers": check_answers.figures(h),
        "first_send": check_time.figures(h),
        "faults": dict(Counter(f"{fault.target} {fault.name}" for fault in h.faults)),
    }
    return verdict
