"""Which alerts are planned in company."""

import hashlib

import pytest

from relay.fanout.small_plans import plain
from relay.store.alerts import StoredAlert

RAW = b"<alert/>"
FACTS = {"state": "accepted", "msgType": "Alert", "sha256": hashlib.sha256(RAW).hexdigest()}


def test_a_first_word_is_plain() -> None:
    """An accepted Alert of whole bytes needs nothing but its plan."""
    assert plain(StoredAlert(FACTS, RAW))


@pytest.mark.parametrize(
    "other",
    [
        {"state": "held"},
        {"msgType": "Update"},
        {"msgType": "Cancel"},
        {"pass": "0"},
        {"reason": "waits_for_memory"},
        {"sha256": "0" * 64},
    ],
)
def test_what_wants_a_second_thought_is_planned_alone(other: dict[str, str]) -> None:
    """Whoever ends another, was planned, waits for something or is damaged is not planned by the way."""
    assert not plain(StoredAlert(FACTS | other, RAW))


def test_large_alerts_are_planned_alone() -> None:
    """Parsing it would keep the others waiting."""
    raw = b"x" * 100_000
    assert not plain(StoredAlert(FACTS | {"sha256": hashlib.sha256(raw).hexdigest()}, raw))
