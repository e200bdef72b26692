"""What follows a hand-over, for every verdict, scope, kind and class."""

from dataclasses import replace
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.adapter import Class, Kind, Outcome, Scope, Verdict
from relay.fanout.retry import Handover, RetryPolicy, after, begin, doubt, ended, resend_in_doubt
from relay.tracking.reasons import code_of, reason_of
from relay.tracking.states import Flag, Record, State, beats, merge

POLICY = RetryPolicy(urgent=(2.0, 5.0, 15.0), normal=(5.0, 30.0), jitter=0.0)
HOUR = 360_000
URGENT = (Class.P0, Class.P1)
EVERY = list(product(Verdict, Scope, Kind, Class, [False, True], [False, True]))


def how(
    kind: Kind = Kind.SMS,
    klass: Class = Class.P1,
    *,
    idempotent: bool = False,
    now: int = 100,
    expires: int = HOUR,
    provider: int = 0,
) -> Handover:
    return Handover(
        kind=kind, klass=klass, idempotent=idempotent, channel=3, now=now, expires=expires, provider=provider
    )


def sent(record: Record | None = None) -> Record:
    """Return the record of a hand-over that is under way."""
    return begin(record or Record(), channel=3)


def verdict(name: Verdict, scope: Scope = Scope.RECIPIENT, **more: object) -> Outcome:
    return Outcome(verdict=name, scope=scope, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", Verdict)
def test_every_verdict_leads_somewhere(name: Verdict) -> None:
    """The whole table: each verdict with every scope, kind, class, doubt and idempotence."""
    for _, scope, kind, klass, idempotent, doubted in (row for row in EVERY if row[0] is name):
        before = sent(doubt(Record())) if doubted else sent()
        record = after(verdict(name, scope), before, how(kind, klass, idempotent=idempotent), POLICY, 0.5)
        case = f"{name} {scope} {kind} {klass} idempotent={idempotent} doubted={doubted}"

        assert record.state is expected(name, scope, kind, klass, idempotent=idempotent, doubted=doubted), case
        assert record.send == before.send, case
        assert record.attempt - before.attempt == charge(name, scope), case
        assert (record.due > 0) == (record.state is State.RETRYING), case
        assert (record.ended > 0) == record.state.terminal, case
        assert beats(record, before), case


def expected(name: Verdict, scope: Scope, kind: Kind, klass: Class, *, idempotent: bool, doubted: bool) -> State:
    """Return the state by the words of the design (§10, §18) and of the policy for ambiguous sends."""
    match name:
        case Verdict.ACCEPTED:
            return State.ACCEPTED
        case Verdict.DELIVERED:
            return State.DELIVERED
        case Verdict.OPTED_OUT:
            return State.SUPPRESSED
        case Verdict.RETRY | Verdict.THROTTLED:
            return State.RETRYING
        case Verdict.REJECTED:
            return State.FAILED if scope in (Scope.RECIPIENT, Scope.MESSAGE) else State.RETRYING
        case Verdict.UNKNOWN:
            once = not doubted and (kind is Kind.EMAIL or klass in (Class.P0, Class.P1, Class.P2))
            return State.RETRYING if idempotent or once else State.POSSIBLY_SENT


def charge(name: Verdict, scope: Scope) -> int:
    """A provider's or configuration's fault never spends a recipient's attempt, and slowing down costs nothing."""
    if name is Verdict.THROTTLED:
        return 0
    if name in (Verdict.RETRY, Verdict.REJECTED):
        return int(scope in (Scope.RECIPIENT, Scope.MESSAGE))
    return 1


def test_accepted_keeps_time_and_provider() -> None:
    """An accepted delivery remembers when, by which channel, and the hash of the provider's id."""
    record = after(verdict(Verdict.ACCEPTED), sent(), how(now=77, provider=5), POLICY, 0.5)

    assert (record.accepted, record.provider, record.channel, record.ended) == (77, 5, 3, 0)


def test_time_zero_is_still_a_time() -> None:
    """What happens in the first hundredth of a second is not "not yet"."""
    accepted = after(verdict(Verdict.ACCEPTED), sent(), how(now=0), POLICY, 0.5)
    failed = after(verdict(Verdict.REJECTED), sent(), how(now=0), POLICY, 0.5)

    assert accepted.accepted == failed.ended == 1


@pytest.mark.parametrize(
    ("klass", "pauses"),
    [(k, [2, 5, 15, 15, 15] if k in URGENT else [5, 30, 30, 30, 30]) for k in Class],
)
def test_pauses_grow_and_then_repeat(klass: Class, pauses: list[int]) -> None:
    """Each retry waits its own pause; the last one repeats until the alert expires."""
    record, found = Record(), []
    for _ in pauses:
        record = after(verdict(Verdict.RETRY), sent(record), how(klass=klass, now=0), POLICY, 0.5)
        found.append(record.due / 100)

    assert found == pauses


def test_provider_fault_pauses_by_hand_overs() -> None:
    """A provider that stays down is asked less and less often though nobody is charged."""
    record, found = Record(), []
    for _ in range(4):
        record = after(verdict(Verdict.RETRY, Scope.PROVIDER), sent(record), how(now=0), POLICY, 0.5)
        found.append((record.due / 100, record.attempt))

    assert found == [(2, 0), (5, 0), (15, 0), (15, 0)]


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 1.6), (0.5, 2.0), (1.0, 2.4)])
def test_jitter_is_twenty_percent_either_way(chance: float, pause: float) -> None:
    """Retries of many spread around their pause."""
    assert replace(POLICY, jitter=0.2).pause(Class.P0, 1, chance) == pytest.approx(pause)


@given(st.integers(-3, 1000), st.sampled_from(Class), st.floats(0, 1))
def test_there_is_always_a_pause(attempt: int, klass: Class, chance: float) -> None:
    """Whatever the attempt, the pause is one of the configured ones, within its jitter."""
    pause = replace(POLICY, jitter=0.2).pause(klass, attempt, chance)
    pauses = POLICY.urgent if klass in URGENT else POLICY.normal

    assert any(0.8 * p - 1e-9 <= pause <= 1.2 * p + 1e-9 for p in pauses)


@pytest.mark.parametrize("name", [Verdict.RETRY, Verdict.THROTTLED, Verdict.UNKNOWN])
def test_retry_after_is_honoured(name: Verdict) -> None:
    """A provider that names a time is not asked before it; a shorter time than ours does not hurry us."""
    late = after(verdict(name, retry_after=90.0), sent(), how(now=0, idempotent=True), POLICY, 0.0)
    soon = after(verdict(name, retry_after=0.5), sent(), how(now=0, idempotent=True), POLICY, 0.0)

    assert late.due >= 9000
    assert soon.due == 200


def test_a_full_send_number_ends_as_a_dead_letter() -> None:
    """The send number orders what happened; before its byte is full the delivery ends and says so."""
    last = replace(sent(), send=250)

    record = after(verdict(Verdict.RETRY), last, how(now=0, idempotent=True), POLICY, 0.0)

    assert record.state is State.DEAD_LETTER
    assert record.reason == code_of("attempts_exhausted")


@pytest.mark.parametrize("days", [1, 3, 30])
@pytest.mark.parametrize("name", [Verdict.RETRY, Verdict.THROTTLED])
def test_the_send_number_lasts_until_the_end(name: Verdict, days: int) -> None:
    """A host that is busy for as long as the alert lives is asked until then, and never makes a dead letter."""
    record, now, asked, expires = Record(), 0, list[int](), days * 8_640_000
    while not record.state.terminal:
        asked.append(now)
        record = after(
            verdict(name, reason="host_busy"), begin(record, channel=3), how(now=now, expires=expires), POLICY, 0.5
        )
        now = max(record.due, now + 1)
    pauses = [late - early for early, late in pairwise(asked)]

    assert (record.state, reason_of(record.reason)) == (State.EXPIRED, "host_busy")
    assert record.send < 250
    assert pauses[:100] == [200, 500, *[1500] * 98]
    assert asked[-1] > expires * 0.98


@pytest.mark.parametrize("name", [Verdict.RETRY, Verdict.THROTTLED])
def test_never_past_expires(name: Verdict) -> None:
    """A retry that would come after the end is none: the delivery ends as expired, with the provider's reason."""
    record = after(verdict(name, reason="queue_full"), sent(), how(now=1000, expires=1050), POLICY, 0.5)

    assert (record.state, record.ended, reason_of(record.reason)) == (State.EXPIRED, 1000, "queue_full")


def test_doubt_that_cannot_be_resolved_in_time() -> None:
    """What may have left is not called expired: it was possibly sent."""
    first = after(verdict(Verdict.UNKNOWN), sent(), how(now=1000, expires=1050), POLICY, 0.5)
    later = after(verdict(Verdict.RETRY), sent(doubt(Record())), how(now=1000, expires=1050), POLICY, 0.5)

    assert first.state is later.state is State.POSSIBLY_SENT


def test_reasons_without_a_word() -> None:
    """An adapter that gives no reason still leaves one."""
    found = {
        name: reason_of(after(verdict(name), sent(), how(), POLICY, 0.5).reason)
        for name in (Verdict.REJECTED, Verdict.OPTED_OUT, Verdict.UNKNOWN, Verdict.THROTTLED)
    }

    assert list(found.values()) == ["rejected", "opted_out", "timeout", "throttled"]


@pytest.mark.parametrize(
    ("kind", "klass", "idempotent", "again"), list(product(Kind, Class, [False, True], [False, True]))
)
def test_policy_for_doubt(kind: Kind, klass: Class, idempotent: bool, again: bool) -> None:
    """Idempotent always; else once: e-mail always, others for P0 to P2."""
    once = kind is Kind.EMAIL or klass in (Class.P0, Class.P1, Class.P2)

    assert resend_in_doubt(kind, klass, idempotent=idempotent, again=again) is (idempotent or (once and not again))


def test_beginning_a_hand_over() -> None:
    """The send number rises, what was due is over, and nobody is charged."""
    record = begin(Record(state=State.RETRYING, send=2, attempt=1, due=50, reason=12, channel=1), channel=4)

    assert record == Record(state=State.SENDING, send=3, attempt=1, channel=4)


def test_doubt_becomes_a_label() -> None:
    """Resending what may have left is labelled; so is everything of a leg that was planned again after a loss."""
    assert begin(doubt(Record()), channel=1).flags == Flag.IN_DOUBT | Flag.POSSIBLE_DUPLICATE
    assert begin(Record(), channel=1, again=True).flags == Flag.POSSIBLE_DUPLICATE
    assert begin(Record(), channel=1).flags == Flag(0)


def test_ending() -> None:
    """An end has a reason and a time, and nothing is due any more."""
    record = ended(Record(state=State.RETRYING, send=1, due=9), State.CANCELLED, reason="alert_cancelled", now=0)

    assert record == Record(state=State.CANCELLED, send=1, reason=4, ended=1)


@given(st.sampled_from(Verdict), st.sampled_from(Scope), st.booleans())
def test_outcome_wins_over_its_intent(name: Verdict, scope: Scope, idempotent: bool) -> None:
    """However the writes arrive, the outcome of a hand-over replaces the note that it had begun."""
    intent = sent()
    outcome = after(verdict(name, scope), intent, how(idempotent=idempotent), POLICY, 0.5)

    assert merge(intent, outcome).state is merge(outcome, intent).state is outcome.state
