"""What follows one hand-over: the next record of a delivery, as a value (design §2 point 3, §18 *Ends*)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from relay.adapter import Class, Kind, Outcome, Scope, Verdict
from relay.tracking.reasons import code_of
from relay.tracking.states import Flag, Record, State

#: Classes whose messages are worth a possible second copy when nobody knows whether the first one left.
_WORTH_A_COPY = frozenset({Class.P0, Class.P1, Class.P2})

_CENTI = 100

#: The send number is a byte and orders what happened; before it is full the delivery ends.
MOST_SENDS = 250
#: The last so many are spread over the time that is left, so that they last until the end.
_SPARED = 125


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How patiently deliveries are tried: pauses in seconds before each retry; the last one repeats until expiry."""

    urgent: tuple[float, ...]
    normal: tuple[float, ...]
    jitter: float

    def pause(self, klass: Class, attempt: int, chance: float) -> float:
        """Return the seconds before the retry that follows attempt ``attempt`` (from 1); ``chance`` is in [0, 1)."""
        pauses = self.urgent if klass in (Class.P0, Class.P1) else self.normal
        base = pauses[min(max(attempt, 1), len(pauses)) - 1]
        return base * (1 + self.jitter * (2 * chance - 1))


#: Why a batch was kept back in the last moment: no fault of its provider.
HINDRANCES = frozenset({"alert_expired", "stopped"})

#: A provider that asks urgent news to wait for longer than this (seconds) is passed over.
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """The circumstances of one hand-over; times are hundredths of a second since the leg was made.

    ``place`` is that of the channel among the ``of`` channels that fit the address, from 0.
    """

    kind: Kind
    klass: Class
    idempotent: bool
    channel: int
    now: int
    expires: int
    provider: int = 0
    place: int = 0
    of: int = 1

    @property
    def urgent(self) -> bool:
        """Whether it carries the worst news."""
        return self.klass in (Class.P0, Class.P1)


def resend_in_doubt(kind: Kind, klass: Class, *, idempotent: bool, again: bool) -> bool:
    """Whether a delivery that may have left is handed over once more.

    An idempotent receiver drops the copy, so always.  E-mail once.  SMS once, and only for the worst news: a second
    copy costs less than a missed one there.  ``again``: it was in doubt before.
    """
    if idempotent:
        return True
    if again:
        return False
    return kind is Kind.EMAIL or klass in _WORTH_A_COPY


def begin(record: Record, *, channel: int, place: int = 0, again: bool = False) -> Record:
    """Return the record at the moment of a hand-over: the send number rises; a doubt becomes a label.

    ``place``: that of the channel among those that fit the address.  ``again``: the whole leg was planned anew after
    its records were lost, so everything may come twice.
    """
    repeated = again or record.flags & Flag.IN_DOUBT
    flags = record.flags | (Flag.POSSIBLE_DUPLICATE if repeated else Flag(0))
    return replace(
        record,
        state=State.SENDING,
        send=record.send + 1,
        channel=channel,
        route=place,
        flags=flags,
        reason=0,
        due=0,
    )


def doubt(record: Record) -> Record:
    """Return the record of a delivery whose hand-over nobody can tell the end of."""
    return replace(record, flags=record.flags | Flag.IN_DOUBT)


def race(record: Record) -> Record:
    """Return a hand-over without an answer as it goes to the next provider as well: it may come twice."""
    return replace(record, route=record.route + 1, flags=record.flags | Flag.POSSIBLE_DUPLICATE)


def after(outcome: Outcome, sent: Record, how: Handover, policy: RetryPolicy, chance: float) -> Record:
    """Return the record that follows ``outcome`` of the hand-over ``sent`` (see :func:`begin`)."""
    return _AFTER[outcome.verdict](outcome, sent, how, policy, chance)


def ended(record: Record, state: State, *, reason: str, now: int) -> Record:
    """Return a record in a terminal state."""
    return replace(record, state=state, reason=code_of(reason), ended=max(now, 1), due=0)


def _accepted(outcome: Outcome, sent: Record, how: Handover, _policy: RetryPolicy, _chance: float) -> Record:
    return replace(
        sent,
        state=State.ACCEPTED,
        attempt=sent.attempt + 1,
        accepted=max(how.now, 1),
        provider=how.provider,
        reason=code_of(outcome.reason),
    )


def _delivered(outcome: Outcome, sent: Record, how: Handover, policy: RetryPolicy, chance: float) -> Record:
    return replace(_accepted(outcome, sent, how, policy, chance), state=State.DELIVERED, ended=max(how.now, 1))


def _rejected(outcome: Outcome, sent: Record, how: Handover, policy: RetryPolicy, chance: float) -> Record:
    if outcome.scope in (Scope.PROVIDER, Scope.CONFIG):
        return _retry(outcome, sent, how, policy, chance)
    return ended(_charged(sent), State.FAILED, reason=outcome.reason or "rejected", now=how.now)


def _opted_out(_outcome: Outcome, sent: Record, how: Handover, _policy: RetryPolicy, _chance: float) -> Record:
    return ended(_charged(sent), State.SUPPRESSED, reason="opted_out", now=how.now)


def _retry(outcome: Outcome, sent: Record, how: Handover, policy: RetryPolicy, chance: float) -> Record:
    reason = outcome.reason or "rejected"
    if outcome.scope in (Scope.RECIPIENT, Scope.MESSAGE):
        record = _charged(sent)
        pause = policy.pause(how.klass, record.attempt, chance)
    else:
        if _has_next(how) and reason not in HINDRANCES:
            return _passed_over(sent, reason, how)
        record = replace(sent, route=0) if sent.route else sent
        # One round through all of its providers counts as one try.
        pause = policy.pause(how.klass, record.send // how.of, chance)
    return _again(record, reason, max(pause, outcome.retry_after or 0.0), how)


def _throttled(outcome: Outcome, sent: Record, how: Handover, policy: RetryPolicy, chance: float) -> Record:
    reason = outcome.reason or "throttled"
    if how.urgent and outcome.scope is Scope.PROVIDER and (outcome.retry_after or 0) > _PATIENCE and _has_next(how):
        return _passed_over(sent, reason, how)
    pause = max(outcome.retry_after or 0.0, policy.pause(how.klass, sent.send, chance))
    return _again(sent, reason, pause, how)


def _unknown(outcome: Outcome, sent: Record, how: Handover, policy: RetryPolicy, chance: float) -> Record:
    again = bool(sent.flags & Flag.IN_DOUBT)
    record = doubt(_charged(sent))
    if not resend_in_doubt(how.kind, how.klass, idempotent=how.idempotent, again=again):
        return ended(record, State.POSSIBLY_SENT, reason=outcome.reason or "timeout", now=how.now)
    if outcome.scope is Scope.PROVIDER and _has_next(how):
        record = replace(record, route=how.place + 1)
    pause = policy.pause(how.klass, record.attempt, chance)
    return _again(record, outcome.reason or "timeout", max(pause, outcome.retry_after or 0.0), how)


def _has_next(how: Handover) -> bool:
    return how.place + 1 < how.of


def _passed_over(record: Record, reason: str, how: Handover) -> Record:
    """Go on with the next provider at once: this one failed, and the recipient is not charged for that."""
    return _again(replace(record, route=how.place + 1), reason, 0.0, how)


def _charged(record: Record) -> Record:
    return replace(record, attempt=record.attempt + 1)


def _again(record: Record, reason: str, pause: float, how: Handover) -> Record:
    if record.send >= MOST_SENDS:
        return ended(record, State.DEAD_LETTER, reason="attempts_exhausted", now=how.now)
    due = how.now + max(int(pause * _CENTI), _spread(record.send, how) if pause else 0)
    if due >= how.expires:
        return ended(
            record, State.POSSIBLY_SENT if record.flags & Flag.IN_DOUBT else State.EXPIRED, reason=reason, now=how.now
        )
    return replace(record, state=State.RETRYING, reason=code_of(reason), due=max(due, 1))


def _spread(send: int, how: Handover) -> int:
    """Return the least pause, in hundredths of a second, with which the send number lasts until the end.

    A host that is busy for days costs no attempt, but a send each time: the delivery must not end of that.
    """
    left = MOST_SENDS - send
    return (how.expires - how.now) * how.of // left if left < _SPARED else 0


_AFTER: dict[Verdict, Callable[[Outcome, Record, Handover, RetryPolicy, float], Record]] = {
    Verdict.ACCEPTED: _accepted,
    Verdict.DELIVERED: _delivered,
    Verdict.RETRY: _retry,
    Verdict.THROTTLED: _throttled,
    Verdict.REJECTED: _rejected,
    Verdict.OPTED_OUT: _opted_out,
    Verdict.UNKNOWN: _unknown,
}
