"""The withdrawal of the low alert, counted on both sides."""

from __future__ import annotations

import pytest

from relay.demo.overtaking import is_notice, judge_withdrawal
from relay.demo.people import CROWD

TOLD = [f"+7701010000{n}" for n in range(3)]
ALERT = {"state": "cancelled", "counts": {"cancelled": CROWD - 3, "delivered": 3}}
NOTICE = {"state": "completed", "counts": {"delivered": 3}}


def test_as_promised() -> None:
    """Who was told hears that it is over, the others hear nothing."""
    verdict = judge_withdrawal(ALERT, NOTICE, told=TOLD, corrected=TOLD[::-1])

    assert verdict.kept
    assert "19,997 stopped" in verdict.says


@pytest.mark.parametrize(
    ("alert", "told", "corrected"),
    [
        ({"state": "cancelled", "counts": {"cancelled": CROWD - 4, "delivered": 3}}, TOLD, TOLD),
        (ALERT, TOLD[:2], TOLD[:2]),
        (ALERT, [*TOLD, TOLD[0]], [*TOLD, TOLD[0]]),
        (ALERT, TOLD, TOLD[:2]),
        (ALERT, TOLD, [*TOLD[:2], "+77010109999"]),
    ],
)
def test_not_as_promised(alert: dict[str, object], told: list[str], corrected: list[str]) -> None:
    """A number that does not add up on either side fails the scene."""
    assert not judge_withdrawal(alert, NOTICE, told=told, corrected=corrected).kept


def test_notice() -> None:
    """A message that withdraws another is told from the message itself."""
    assert is_notice("Гидромет-демо: ОТБОЙ. Сообщение 18:00 отменено: Свежий ветер на юге.")
    assert not is_notice("Гидромет-демо: Свежий ветер на юге.")
