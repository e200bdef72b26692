"""The breaker: a provider that fails is left alone, and tried again with one delivery."""

import pytest

from relay.adapter import Outcome, Scope, Verdict
from relay.fanout.breaker import MANY, PAUSES, SLOW, STALLED, TRIPS, Breaker

TOOK = [Outcome(verdict=Verdict.ACCEPTED)] * 3
DOWN = [Outcome(verdict=Verdict.RETRY, reason="connection_failed", scope=Scope.PROVIDER)] * 3
SILENT = [Outcome(verdict=Verdict.UNKNOWN, reason="timeout", scope=Scope.PROVIDER)] * 3
WRONG_PASSWORD = [Outcome(verdict=Verdict.REJECTED, reason="bind_failed", scope=Scope.CONFIG)]
BAD_NUMBER = [Outcome(verdict=Verdict.REJECTED, reason="invalid_address", scope=Scope.RECIPIENT)]


def heard(breaker: Breaker, *many: list[Outcome], now: float = 0.0) -> Breaker:
    for outcomes in many:
        breaker.hear(outcomes, now=now)
    return breaker


def opened() -> Breaker:
    return heard(Breaker(), *[DOWN] * TRIPS)


@pytest.mark.parametrize("failure", [DOWN, SILENT])
def test_failures_in_a_row_open_it(failure: list[Outcome]) -> None:
    """A few hand-overs in a row that failed by the provider's fault: nothing more starts for a while."""
    breaker = heard(Breaker(), *[failure] * (TRIPS - 1))

    assert breaker.admits(0.0) == MANY
    assert heard(breaker, failure).admits(0.0) == 0
    assert breaker.wait(0.5) == PAUSES[0] - 0.5


def test_a_success_between_counts() -> None:
    """A provider that fails now and then stays in use."""
    breaker = heard(Breaker(), DOWN, DOWN, TOOK, DOWN, DOWN)

    assert breaker.admits(0.0) == MANY


def test_a_wrong_configuration_opens_it_at_once() -> None:
    """Nothing gets better by asking again with the same wrong password."""
    assert heard(Breaker(), WRONG_PASSWORD).admits(0.0) == 0


@pytest.mark.parametrize("outcomes", [BAD_NUMBER, [*DOWN, *TOOK]])
def test_faults_of_recipients_and_of_parts_do_not_count(outcomes: list[Outcome]) -> None:
    """A provider that refuses a number answers; so does one that takes part of a batch."""
    assert heard(Breaker(), *[outcomes] * 10).admits(0.0) == MANY


def test_half_open_lets_one_try() -> None:
    """After the pause one delivery starts, and only one until its end is known."""
    breaker = opened()
    now = PAUSES[0]
    assert breaker.admits(now) == 1
    breaker.probing(now)

    assert breaker.admits(now) == 0
    assert breaker.is_open


def test_probe_that_succeeds_closes_it() -> None:
    """One success is enough: the worst news has waited long enough."""
    breaker = opened()
    breaker.probing(PAUSES[0])
    heard(breaker, TOOK, now=PAUSES[0] + 1)

    assert breaker.admits(PAUSES[0] + 1) == MANY
    assert not breaker.is_open


def test_probe_that_fails_lengthens_the_pause() -> None:
    """Each time it opens again the pause is longer, up to the longest."""
    breaker, now = opened(), 0.0
    for pause in (*PAUSES[1:], PAUSES[-1]):
        now += breaker.wait(now)
        breaker.probing(now)
        heard(breaker, DOWN, now=now)

        assert breaker.wait(now) == pause


def test_old_failures_do_not_lengthen_the_pause() -> None:
    """Hand-overs that began before it opened say nothing new."""
    breaker = heard(opened(), *[DOWN] * 20)

    assert breaker.wait(0.0) == PAUSES[0]


def test_lost_probe_is_forgotten() -> None:
    """A probe whose end nobody hears must not keep the channel closed for ever."""
    breaker = opened()
    breaker.probing(PAUSES[0])

    assert breaker.admits(PAUSES[0] + 60) == 1


def test_probe_that_did_not_begin_is_free_again() -> None:
    """A batch that was kept back in the last moment was no probe."""
    breaker = opened()
    breaker.probing(PAUSES[0])
    breaker.end(0, (), now=PAUSES[0])

    assert breaker.admits(PAUSES[0]) == 1


def test_throttling_pauses_the_channel() -> None:
    """A provider that asks everybody to slow down is not asked again before; that is no failure."""
    busy = [Outcome(verdict=Verdict.THROTTLED, reason="throttled", scope=Scope.PROVIDER, retry_after=3.0)]
    breaker = heard(Breaker(), *[busy] * 10)

    assert (breaker.admits(2.9), breaker.admits(3.0)) == (0, MANY)
    assert not breaker.is_open


@pytest.mark.parametrize(("asked", "longest"), [(1e9, 60.0), (None, 0.0)])
def test_no_provider_can_pause_a_channel_for_ever(asked: float | None, longest: float) -> None:
    """An absurd Retry-After is cut."""
    busy = [Outcome(verdict=Verdict.THROTTLED, scope=Scope.PROVIDER, retry_after=asked)]

    assert heard(Breaker(), busy).wait(0.0) == longest


def test_without_an_answer_it_is_slow_and_when_full_stalled() -> None:
    """Urgent news prefers another provider when this one is silent; a full and silent one admits nothing more."""
    breaker = Breaker(most=4)
    first = breaker.begin(2, now=0.0)
    assert (breaker.slow(SLOW - 0.1), breaker.slow(SLOW)) == (False, True)
    assert breaker.admits(SLOW) == MANY
    breaker.begin(2, now=1.0)

    assert breaker.admits(STALLED) == 0
    breaker.end(first, TOOK, now=STALLED)
    assert breaker.admits(STALLED) == MANY


def test_who_has_an_outcome_makes_nothing_full() -> None:
    """One recipient of a batch that hangs does not stall the channel; all of them do."""
    breaker = Breaker(most=2)
    ticket = breaker.begin(2, now=0.0)
    full = breaker.admits(STALLED)
    breaker.answered(ticket)
    breaker.answered(99)

    assert (full, breaker.admits(STALLED)) == (0, MANY)


def test_asking_the_provider_instead() -> None:
    """An adapter that can ask its provider spares the first message."""
    breaker = opened()
    assert (breaker.due(0.0), breaker.due(PAUSES[0])) == (False, True)
    breaker.probing(PAUSES[0])
    breaker.still_down(PAUSES[0])
    assert breaker.wait(PAUSES[0]) == PAUSES[1]
    breaker.works()

    assert not breaker.due(1e9)
