"""C5, C6, C10, C11, H, A: what the relay answered was right, in time, and stays true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.chaos.history import Attempt, Deed, History
from tests.chaos.mix import Role
from tests.chaos.verdict import Finding

#: Faults during which nobody may be there to answer.
DEAF = ("api", "node")
#: A valid alert is answered within so many seconds whatever else is broken (measured on a busy machine of two cores).
ANSWERED = 5.0


def answers(h: History) -> Iterator[Finding]:
    """Check every answer by itself, and all answers about one alert together."""
    for deed in h.deeds.values():
        for attempt in deed.attempts:
            yield from _answer(h, deed, attempt)
        yield from _one_id(h, deed)
        yield from _one_content(h, deed)


def _answer(h: History, deed: Deed, attempt: Attempt) -> Iterator[Finding]:
    where = f"request {attempt.n} ({attempt.role} {deed.number})"
    if attempt.status >= 500 and attempt.status != 503:
        yield Finding("H", f"{attempt.status}: {where}")
    deaf = h.faults_in(attempt.asked - 1.0, attempt.answered or attempt.asked + 1.0, *DEAF)
    slow = attempt.answered - attempt.asked > ANSWERED + 2 * h.lag(attempt.asked, attempt.answered)
    if (attempt.end != "ok" or slow) and not deaf:
        yield Finding("A", f"{attempt.end} {attempt.status} after {attempt.answered - attempt.asked:.1f} s: {where}")
    if attempt.end == "ok":
        yield from _right(deed, attempt, where)


def _right(deed: Deed, attempt: Attempt, where: str) -> Iterator[Finding]:
    """Check the status of one answer against what was asked."""
    allowed = {
        Role.NEW: {202, 200, 409} if _contested(deed) else {202, 200} if len(deed.attempts) > 1 else {202},
        Role.RETRY: {200, 202, 409} if _contested(deed) else {200, 202},
        Role.UPDATE: {202, 200, 409} if _contested(deed) else {202, 200},
        Role.CANCEL: {202, 200, 409} if _contested(deed) else {202, 200},
        Role.REVOKE: {202},
        Role.PLACELESS: {202, 200},
        Role.CONFLICT: {409, 202, 200},
        Role.BAD: {400, 422},
    }[attempt.role]
    if attempt.status not in allowed:
        yield Finding("C6", f"{attempt.status} {attempt.said.get('type', '')}: {where}")
    if attempt.role is Role.PLACELESS and attempt.said.get("state") != "held":
        yield Finding("C6", f"{attempt.said.get('state')} without a place: {where}")
    if attempt.status == 200 and not attempt.said.get("duplicate"):
        yield Finding("C6", f"200 and not a duplicate: {where}")


def _contested(deed: Deed) -> bool:
    return any(a.role is Role.CONFLICT for a in deed.attempts)


def _one_id(h: History, deed: Deed) -> Iterator[Finding]:
    """One triple, one id; and a 202 for it once, unless the one before was never heard."""
    ids = {a.said["id"] for a in deed.attempts if a.taken and "id" in a.said}
    shown = {alert["id"] for alert in h.shown.get(deed.number, [])}
    if len(ids) > 1 or len(shown) > 1:
        yield Finding("C6", f"{deed.number} has several ids: {sorted(ids | shown)}")
    if ids and shown and not ids & shown:
        yield Finding("C11", f"{deed.number} was answered {ids} and is shown as {shown}")
    first = min((a.answered for a in deed.attempts if a.taken and a.role is not Role.CONFLICT), default=float("inf"))
    for late in (a for a in deed.attempts if a.role is Role.CONFLICT and a.taken and a.asked > first):
        yield Finding("C6", f"{late.status} for another content of {deed.number}: request {late.n}")
    taken = sorted((a for a in deed.attempts if a.taken and a.status == 202), key=lambda a: a.answered)
    if deed.role is not Role.REVOKE and len(taken) > 1:
        yield Finding("C6", f"{deed.number} was accepted {len(taken)} times: requests {[a.n for a in taken]}")


def _one_content(h: History, deed: Deed) -> Iterator[Finding]:
    """Of two contents under one name one is stored; nobody reads the other."""
    taken = [a for a in deed.attempts if a.taken and a.status == 202]
    if not _contested(deed) or not taken or any(a.end == "info" for a in deed.attempts):
        return
    other = "Move to higher ground" if taken[0].role is Role.CONFLICT else "Stay where you are"
    wrong = [send for send in h.sends if send.number == deed.number and other in send.text]
    if wrong:
        yield Finding("C6", f"{deed.number}: {len(wrong)} read the content that was refused")


def counters(h: History) -> Iterator[Finding]:
    """C10: what the relay counts is what its rows say, and nothing waits when all has ended."""
    for alert in h.alerts:
        states = Counter(row["state"] for row in alert["rows"])
        counted = {state: n for state, n in alert.get("counts", {}).items() if n}
        if dict(states) != counted or alert.get("deliveries", 0) != len(alert["rows"]):
            yield Finding("C10", f"{alert['id']} counts {counted} and has {dict(states)}")
        people = len({row["recipient"] for row in alert["rows"]})
        if alert.get("recipients", people) != people:
            yield Finding("C10", f"{alert['id']} says {alert['recipients']} recipients and has {people}")
    waiting = {name: told["queued"] for name, told in h.status.get("classes", {}).items() if told["queued"]}
    if waiting and all(row["state"] not in ("queued", "retrying") for alert in h.alerts for row in alert["rows"]):
        yield Finding("C10", f"the status page says that {waiting} wait, and none does")
    if h.status.get("stale") or h.status.get("redis", {}).get("pending"):
        yield Finding("C11", f"alerts still wait to be told to Redis: {h.status.get('redis')}")


def figures(h: History) -> dict[str, int]:
    """Return how many requests were made and how they ended."""
    ends = Counter(a.end for deed in h.deeds.values() for a in deed.attempts)
    statuses = Counter(str(a.status) for deed in h.deeds.values() for a in deed.attempts if a.status)
    pending = sum(
        (a.said.get("durability") or {}).get("redis") == "pending" for deed in h.deeds.values() for a in deed.attempts
    )
    return {"requests": ends.total(), **ends, **{f"http_{s}": n for s, n in statuses.items()}, "redis_pending": pending}
