"""The verdict on an alert that parsed: sent out, held for a person, or too late (design §6, §18).

Nothing here widens: an alert without a usable area waits for a person instead of reaching everybody.  An Update is
read like an Alert in this: to take over the area of what it refers to would be a guess at whom it is meant for.  A
Cancel needs no area, for its audience is those who were told; Ack and Error are kept and told to nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from relay.adapter import Class
from relay.cap.lifetime import Expiry
from relay.cap.model import Alert
from relay.cap.parse import ShapePlace
from relay.cap.rules import refusal
from relay.errors import Finding, InvalidAlert
from relay.intake.authority import Key
from relay.intake.jurisdiction import Fit, Placing, place, read_jurisdiction
from relay.intake.verdict_words import say

AHEAD_TOLERATED = timedelta(minutes=2)
RECENT = timedelta(minutes=15)
ZONE_SLACK = timedelta(minutes=2)
ZONE_HOURS = range(1, 15)

_INSIDE = Placing(Fit.INSIDE)
_DOUBTED = frozenset({Class.P0, Class.P1, Class.P2})
_ANSWERS = frozenset({"Ack", "Error"})


class State(StrEnum):
    """The alert's first state."""

    ACCEPTED = "accepted"
    HELD = "held"
    EXPIRED = "expired"
    COMPLETED = "completed"  # Ack and Error: nothing is to be done


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is done with an alert.

    ``reason`` is a stable word, empty when there is nothing to say; of several reasons to hold it is the first, and
    ``findings`` has a sentence for each.  ``findings`` are those added here.  ``counted_from`` and ``expires`` are
    the alert's lifetime by our clock.
    """

    state: State
    reason: str
    findings: tuple[Finding, ...]
    counted_from: datetime
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the verdict depends on besides the alert.

    ``received_at`` is our clock; ``clock_trusted`` is False while it is known to be wrong (behind the journal, or off
    Redis), and then nothing is called expired.  ``ambiguous`` names the alerts when a Cancel's reference fits more
    than one.  ``assumed_lifetime`` is what a message without ``expires`` lives.
    """

    received_at: datetime
    clock_trusted: bool
    assumed_lifetime: timedelta
    ambiguous: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class _Lifetime:
    counted_from: datetime
    expires: datetime
    findings: tuple[Finding, ...] = ()


def judge(
    alert: Alert,
    found: Sequence[Finding],
    *,
    key: Key,
    klass: Class,
    expiry: Expiry,
    given: Circumstances,
    shapes: Sequence[ShapePlace] = (),
) -> Verdict:
    """Return the verdict on an alert that ``key`` may send; ``found`` is what the rules have said about it.

    ``shapes`` are those of ``Parsed``: findings then name the path and line where the agency wrote the shape.

    Raises:
        InvalidAlert: latitude and longitude are swapped (CAP-031, 422).
    """
    placing = _placing(alert, key)
    if placing.fit is Fit.SWAPPED:
        raise _swapped(placing, shapes, found)
    lifetime = _lifetime(alert, expiry, given)
    if alert.msg_type in _ANSWERS:
        told = say("not_disseminated", msg_type=alert.msg_type)
        return _verdict(State.COMPLETED, "not_disseminated", lifetime, told)
    too_late = _too_late(alert, klass, lifetime, given)
    if too_late is not None and too_late.reason == "":
        return _verdict(State.EXPIRED, "expired_on_arrival", lifetime, too_late.finding)
    if too_late is not None:
        lifetime = _by_our_clock(alert, expiry, given)
    holds = [
        hold for hold in (too_late, *_holds(alert, key, _jurisdiction(placing, shapes), given)) if hold is not None
    ]
    if holds:
        return _verdict(State.HELD, holds[0].reason, lifetime, *(hold.finding for hold in holds))
    return _verdict(State.ACCEPTED, "", lifetime)


def clock_doubt(sent: datetime, now: datetime) -> bool:
    """Return whether an alert that seems expired may be so by a wrong clock or zone only.

    True when it was sent at most 15 minutes ago, or 1 to 14 whole hours (± 2 minutes) before or after now.
    """
    age = now - sent
    if -ZONE_SLACK <= age <= RECENT:
        return True
    return any(abs(abs(age) - timedelta(hours=hours)) <= ZONE_SLACK for hours in ZONE_HOURS)


@dataclass(frozen=True, slots=True)
class _Hold:
    """A reason to wait for a person; an empty reason means too late, without a doubt."""

    reason: str
    finding: Finding


def _verdict(state: State, reason: str, lifetime: _Lifetime, *findings: Finding) -> Verdict:
    return Verdict(
        state=state,
        reason=reason,
        findings=(*lifetime.findings, *findings),
        counted_from=lifetime.counted_from,
        expires=lifetime.expires,
    )


def _lifetime(alert: Alert, expiry: Expiry, given: Circumstances) -> _Lifetime:
    """Return the lifetime by our clock: from receipt when ``sent`` is ahead of it."""
    sent, now = alert.sent.instant, given.received_at
    if sent > now + AHEAD_TOLERATED:
        ahead = say("ahead", minutes=str(round((sent - now).total_seconds() / 60)))
        # With an end before its own beginning nothing can be counted; the end stays as written.
        expires = now + (expiry.at - sent) if expiry.at > sent else expiry.at
        return _Lifetime(now, expires, (ahead,))
    if alert.msg_type == "Cancel" and expiry.at <= now < sent + given.assumed_lifetime:
        # Many agencies end a Cancel at once.  Those who were told must hear it all the same.
        return _Lifetime(sent, sent + given.assumed_lifetime, (say("cancel_lives"),))
    return _Lifetime(sent, expiry.at)


def _by_our_clock(alert: Alert, expiry: Expiry, given: Circumstances) -> _Lifetime:
    """Return the lifetime of an alert whose times are in doubt, from receipt: a person may still have it sent."""
    span = expiry.at - alert.sent.instant
    now = given.received_at
    return _Lifetime(now, now + (span if span > timedelta(0) else given.assumed_lifetime))


def _too_late(alert: Alert, klass: Class, lifetime: _Lifetime, given: Circumstances) -> _Hold | None:
    now = given.received_at
    if lifetime.expires > now:
        return None
    minutes = str(max(1, round((now - lifetime.expires).total_seconds() / 60)))
    if not given.clock_trusted:
        return _Hold("own_clock_doubt", say("own_clock_doubt"))
    if klass in _DOUBTED and clock_doubt(alert.sent.instant, now):
        return _Hold("clock_doubt", say("clock_doubt", minutes=minutes))
    return _Hold("", say("expired", minutes=minutes))


def _holds(alert: Alert, key: Key, jurisdiction: _Hold | None, given: Circumstances) -> list[_Hold | None]:
    if alert.msg_type == "Cancel":
        return [_ambiguous(given)]
    return [_addressed(alert) or _area(alert), jurisdiction, _hazards(alert, key)]


def _ambiguous(given: Circumstances) -> _Hold | None:
    if len(given.ambiguous) < 2:
        return None
    return _Hold("ambiguous_reference", say("ambiguous_reference", ids=", ".join(sorted(given.ambiguous))))


def _addressed(alert: Alert) -> _Hold | None:
    """Return a hold for an alert that is not public and does not say whom it is for."""
    if alert.scope == "Public" or alert.addresses:
        return None
    if alert.scope == "Restricted":
        return _Hold("restricted_without_addresses", say("restricted_without_addresses"))
    return _Hold("private_without_addresses", say("private_without_addresses"))


def _area(alert: Alert) -> _Hold | None:
    named = alert.scope != "Public" and bool(alert.addresses)
    if named or any(area.has_geometry for info in alert.info for area in info.area):
        return None
    return _Hold("no_usable_area", say("no_usable_area"))


def _placing(alert: Alert, key: Key) -> Placing:
    jurisdiction = read_jurisdiction(key.area)
    if jurisdiction is None or alert.msg_type == "Cancel" or alert.msg_type in _ANSWERS:
        return _INSIDE
    return place(alert, jurisdiction)


def _jurisdiction(placing: Placing, shapes: Sequence[ShapePlace]) -> _Hold | None:
    path, line = _where(placing, shapes)
    match placing.fit:
        case Fit.OUTSIDE:
            return _Hold("outside_jurisdiction", say("outside_jurisdiction", path=path, line=line))
        case Fit.UNKNOWN:
            return _Hold("jurisdiction_unknown", say("jurisdiction_unknown", path=path, line=line))
        case _:
            return None


def _where(placing: Placing, shapes: Sequence[ShapePlace]) -> tuple[str, int | None]:
    """Return the path and line of the placed shape as the agency wrote it, else the XPath in the alert."""
    written = next((written for written in shapes if written.shape is placing.shape), None)
    return (written.path, written.line) if written is not None else (placing.path, None)


def _hazards(alert: Alert, key: Key) -> _Hold | None:
    """Return a hold when an info has no category that the key may warn of."""
    for info in alert.info:
        if key.hazards and not set(info.category) & set(key.hazards):
            return _Hold("outside_hazards", say("outside_hazards", category=", ".join(info.category)))
    return None


def _swapped(placing: Placing, shapes: Sequence[ShapePlace], found: Sequence[Finding]) -> InvalidAlert:
    path, line = _where(placing, shapes)
    refused = refusal("swapped", path=path, line=line, pair=placing.pair, swapped=placing.swapped)
    return InvalidAlert(refused.slug, refused.detail, status=refused.status, findings=(*refused.findings, *found))
