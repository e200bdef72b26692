"""C1, C2, C3, T: everybody who is due is told or has a true end, nobody else is, and nothing else is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.chaos.history import Deed, History, Pair, Send
from tests.chaos.mix import Role
from tests.chaos.verdict import Finding

#: States that say that the message came, or at least that the provider took it.
SAYS_SENT = {"delivered", "delivered_unconfirmed", "acknowledged", "accepted"}
#: States that say that it did not.
SAYS_UNSENT = {"expired", "cancelled", "suppressed", "failed", "dead_letter", "simulated"}
TERMINAL = SAYS_SENT - {"accepted"} | SAYS_UNSENT | {"possibly_sent"}

#: A delivery may be in doubt when something was wrong this many seconds before it was accepted, or later.
NEAR = 4.0


def fates(h: History) -> Iterator[Finding]:
    """Check every deed that the relay has taken, or may have."""
    for deed in h.deeds.values():
        shown = h.shown.get(deed.number, [])
        if deed.role in (Role.BAD, Role.CONFLICT):
            continue
        if not shown:
            yield from _missing(h, deed)
        elif deed.role is Role.PLACELESS:
            yield from _held(h, deed, shown[0])
        elif deed.role in (Role.CANCEL, Role.REVOKE):
            yield from _cancel(h, deed, shown[0])
        else:
            yield from _alert(h, deed, shown[0])


def strangers(h: History) -> Iterator[Finding]:
    """C3: each send belongs to something that was asked for, says it in the right words, and went to one who is due."""
    due: dict[int, Mapping[Pair, int]] = {}
    for send in h.sends:
        number, pair = h.deed_of(send), h.pair(send)
        deed = h.deeds.get(number)
        if deed is None or pair is None:
            yield Finding("C3", f"nobody asked for this: {send.kind} to {send.to}: {send.text[:80]!r}")
            continue
        if not (deed.accepted or deed.doubtful):
            yield Finding("C3", f"{number} was refused and is sent all the same: {send.kind} to {send.to}")
            continue
        source = h.deeds[deed.of] if deed.role in (Role.CANCEL, Role.REVOKE) else deed
        if source.number not in due:
            due[source.number] = h.due(source)
        yield from _words(send, deed, source, due[source.number].get(pair))


def _words(send: Send, deed: Deed, source: Deed, info: int | None) -> Iterator[Finding]:
    where = f"{deed.number} ({deed.role}): {send.kind} to {send.to}"
    if info is None:
        yield Finding("C3", f"not for him: {where}")
    elif info != send.info:
        yield Finding("C3", f"reads info {send.info}, not {info}: {where}")
    if send.mood == "unreadable" or send.line.get("signed") is False:
        yield Finding("C3", f"cannot be read or trusted: {where}: {send.text[:80]!r}")
    if source.document["status"] != "Actual" and send.kind != "webhook":
        yield Finding("C3", f"a drill by a channel that takes none: {where}")
    if send.kind == "webhook" and send.line["recipient"] != send.to:
        yield Finding("C3", f"meant for {send.line['recipient']}: {where}")


def _missing(h: History, deed: Deed) -> Iterator[Finding]:
    told = h.told(deed.number)
    if deed.accepted is not None:
        yield Finding("C1", f"{deed.number} ({deed.role}) was answered {deed.accepted.status} and is not there")
    elif told:
        yield Finding("C5", f"{deed.number} ({deed.role}) is not there and {len(told)} were told")


def _held(h: History, deed: Deed, shown: Mapping[str, Any]) -> Iterator[Finding]:
    if shown["state"] != "held" or shown["rows"] or h.told(deed.number):
        yield Finding("C3", f"{deed.number} has no place and is {shown['state']} with {len(shown['rows'])} deliveries")


def _alert(h: History, deed: Deed, shown: Mapping[str, Any]) -> Iterator[Finding]:
    """A new alert or an Update: exactly those who are due have a row, and each row is true."""
    rows = {(row["recipient"], row["kind"]): row for row in shown["rows"]}
    due = h.due(deed)
    if shown["state"] == "held":
        if not _too_late(deed) or shown["reason"] != "clock_doubt" or h.told(deed.number):
            yield Finding("C1", f"{deed.number} is held: {shown['reason']}")
        return
    if not rows and due:
        yield from _unplanned(h, deed, shown)
        return
    for pair in due.keys() - rows.keys():
        yield Finding("C1", f"{deed.number}: no delivery for {pair}")
    for pair in rows.keys() - due.keys():
        yield Finding("C3", f"{deed.number}: a delivery for {pair}, who is not due")
    for pair in rows.keys() & due.keys():
        yield from _row(h, deed, pair, rows[pair])


def _too_late(deed: Deed) -> bool:
    """It had expired when it was taken, and had been sent a moment before: a person decides (design §6)."""
    return deed.accepted is not None and deed.accepted.answered >= deed.expires


def _unplanned(h: History, deed: Deed, shown: Mapping[str, Any]) -> Iterator[Finding]:
    """Nothing was planned: it ended, or was stopped, before that could be done."""
    told = h.told(deed.number)
    ended = shown["state"] == "expired" and h.ended >= deed.expires
    stopped = shown["state"] in ("cancelled", "superseded") and any(h.stops(deed.number))
    lost = any(fault.loses for fault in h.faults)
    if not (ended or stopped) or (told and not lost):
        yield Finding("C1", f"{deed.number} is {shown['state']} without one delivery; {len(told)} were told")


def _row(h: History, deed: Deed, pair: Pair, row: Mapping[str, Any]) -> Iterator[Finding]:
    state, where = row["state"], f"{deed.number} {pair} {row['id']}"
    sends = [send for send in h.of_sends.get((deed.number, pair), []) if send.took]
    if state not in TERMINAL:
        yield Finding("T", f"{state}: {where}")
    elif state in SAYS_SENT and not sends:
        yield Finding("C2", f"{state} and was never sent: {where}")
    elif state in SAYS_UNSENT and sends and not row["possible_duplicate"] and not _forgotten(h, sends):
        yield Finding("C2", f"{state} and was sent at {sends[0].t:.2f} ({sends[0].mood}): {where}")
    if state in SAYS_UNSENT | {"possibly_sent"}:
        reason = _unjustified(h, deed, pair, row)
        if reason:
            yield Finding("C1", f"{state} ({row['reason']}), {reason}: {where}")


def _forgotten(h: History, sends: list[Send]) -> bool:
    """Redis was emptied after it was sent: what is older than the workers' memory is gone, by design."""
    return any(fault.loses and fault.end >= sends[0].t for fault in h.faults)


def _unjustified(h: History, deed: Deed, pair: Pair, row: Mapping[str, Any]) -> str:
    """Return why a delivery that did not arrive should have; empty: it is right."""
    match row["state"]:
        case "expired":
            return _expired(h, deed, pair)
        case "cancelled":
            return "" if any(h.stops(deed.number)) else "although nobody cancelled it"
        case "suppressed":
            drill = deed.document["status"] != "Actual" and pair[1] != "webhook"
            return "" if drill else "although nobody opted out"
        case "possibly_sent":
            queued = _time(row["times"]["queued"])
            return "" if h.faults_in(queued - NEAR, h.ended) else "although nothing was wrong"
        case _:
            return "although the provider refused nothing for good"


def _expired(h: History, deed: Deed, pair: Pair) -> str:
    if h.ended < deed.expires:
        return "although it lives"
    accepted = min(a.asked for a in deed.attempts)
    slow = pair[1] == "sms" or deed.expires - accepted < 1.5  # the rate of texts is low on purpose
    return "" if slow or h.faults_in(accepted - NEAR, deed.expires) else "although there was time"


def _cancel(h: History, deed: Deed, shown: Mapping[str, Any]) -> Iterator[Finding]:
    """A Cancel reaches those who were told, or may have been, and nobody else."""
    old = h.deeds[deed.of]
    told = h.told(old.number)
    rows = {(row["recipient"], row["kind"]): row for row in shown["rows"]}
    if shown["state"] == "held":
        yield Finding("C1", f"{deed.number} (cancel of {old.number}) is held: {shown['reason']}")
        return
    heard = h.told(deed.number)
    for pair in told.keys() - rows.keys():
        but = (
            "the cancel has no delivery for him, although he was told" if pair in heard else "not that it is cancelled"
        )
        yield Finding("C1", f"{pair} was told {old.number}, and {but} ({deed.number})")
    begin = min(a.asked for a in old.attempts) - NEAR
    for pair in rows.keys() - told.keys():
        if not h.faults_in(begin, h.ended):
            yield Finding("C3", f"{pair} is told of the end of {old.number} and was never told of it")
    for pair in rows.keys() & told.keys():
        yield from _cancel_row(h, deed, pair, rows[pair])


def _cancel_row(h: History, deed: Deed, pair: Pair, row: Mapping[str, Any]) -> Iterator[Finding]:
    sends = [send for send in h.of_sends.get((deed.number, pair), []) if send.took]
    where = f"cancel {deed.number} of {deed.of} {pair} {row['id']}"
    if row["state"] not in TERMINAL:
        yield Finding("T", f"{row['state']}: {where}")
    elif row["state"] in SAYS_SENT and not sends:
        yield Finding("C2", f"{row['state']} and was never sent: {where}")
    elif row["state"] in SAYS_UNSENT:
        yield Finding("C1", f"{row['state']} ({row['reason']}): {where}")


def _time(said: str) -> float:
    return datetime.fromisoformat(said).timestamp()
