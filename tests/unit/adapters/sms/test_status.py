"""What provider codes mean, and what the answers to several parts mean together."""

from __future__ import annotations

import pytest

from adapters.sms.status import MEANINGS, NOT_SENT, Answer, meaning, outcome_of
from relay.adapter import Scope, Verdict

TAKEN = Answer(message_id="a1")
THROTTLED = Answer(status=0x58)
INVALID = Answer(status=0x0B)
SILENT = Answer(lost="timeout")
LOST = Answer(lost="response_lost")


@pytest.mark.parametrize(
    ("status", "verdict", "scope", "reason"),
    [
        (0x58, Verdict.THROTTLED, Scope.PROVIDER, "provider_throttled"),
        (0x14, Verdict.THROTTLED, Scope.PROVIDER, "provider_queue_full"),
        (0x0B, Verdict.REJECTED, Scope.RECIPIENT, "invalid_number"),
        (0x01, Verdict.REJECTED, Scope.MESSAGE, "invalid_message_length"),
        (0x0A, Verdict.RETRY, Scope.CONFIG, "invalid_source_address"),
        (0x0E, Verdict.RETRY, Scope.CONFIG, "invalid_password"),
        (0x0F, Verdict.RETRY, Scope.CONFIG, "invalid_system_id"),
        (0x08, Verdict.RETRY, Scope.PROVIDER, "provider_system_error"),
        (0x0D, Verdict.RETRY, Scope.PROVIDER, "bind_failed"),
        (0x4FF, Verdict.RETRY, Scope.PROVIDER, "provider_error"),
    ],
)
def test_meaning(status: int, verdict: Verdict, scope: Scope, reason: str) -> None:
    """A fault of the provider or of the account never becomes the recipient's."""
    said = meaning(status)

    assert (said.verdict, said.scope, said.reason) == (verdict, scope, reason)


def test_only_the_recipient_or_the_text_is_refused_for_good() -> None:
    """Nothing that another provider might carry is rejected, and reasons are snake_case and single."""
    reasons = [said.reason for said in MEANINGS.values()]

    assert {s.scope for s in MEANINGS.values() if s.verdict is Verdict.REJECTED} == {Scope.RECIPIENT, Scope.MESSAGE}
    assert len(set(reasons)) == len(reasons)
    assert all(reason.replace("_", "").islower() for reason in reasons)


@pytest.mark.parametrize(
    ("answers", "verdict", "reason", "ids"),
    [
        ([TAKEN], Verdict.ACCEPTED, "", ("a1",)),
        ([TAKEN, TAKEN], Verdict.ACCEPTED, "", ("a1", "a1")),
        ([Answer()], Verdict.ACCEPTED, "", ()),
        ([INVALID, INVALID], Verdict.REJECTED, "invalid_number", ()),
        ([THROTTLED], Verdict.THROTTLED, "provider_throttled", ()),
        ([SILENT], Verdict.UNKNOWN, "timeout", ()),
        ([TAKEN, LOST], Verdict.UNKNOWN, "response_lost", ()),
        ([LOST, NOT_SENT], Verdict.UNKNOWN, "response_lost", ()),
        ([INVALID, SILENT], Verdict.UNKNOWN, "timeout", ()),
        ([TAKEN, THROTTLED], Verdict.UNKNOWN, "partly_accepted", ()),
        ([TAKEN, NOT_SENT], Verdict.UNKNOWN, "partly_accepted", ()),
        ([NOT_SENT, NOT_SENT], Verdict.RETRY, "not_sent", ()),
        ([INVALID, NOT_SENT], Verdict.REJECTED, "invalid_number", ()),
    ],
)
def test_parts_together(answers: list[Answer], verdict: Verdict, reason: str, ids: tuple[str, ...]) -> None:
    """A message is accepted when all its parts are, and unknown as soon as some may have left.

    Then it has no ids: a receipt of the part that arrived made a half message "delivered".
    """
    outcome = outcome_of(answers, retry_after=1.5)

    assert (outcome.verdict, outcome.reason, outcome.provider_ids) == (verdict, reason, ids)
    assert outcome.retry_after == (1.5 if verdict is Verdict.THROTTLED else None)


def test_detail_tells_how_far_it_came() -> None:
    """The operator reads how many parts were taken and what stopped the rest."""
    outcome = outcome_of([TAKEN, TAKEN, INVALID], retry_after=1.0)

    assert outcome.detail == "2 of 3 parts accepted; then RINVDSTADR"
