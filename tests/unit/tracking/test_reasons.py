"""Reason codes are stored as one byte."""

import re

import pytest

from relay.tracking.reasons import REASONS, code_of, reason_of


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_reads_back(reason: str) -> None:
    """A reason reads back as the same word."""
    assert reason_of(code_of(reason)) == reason


def test_reasons_are_stable_words() -> None:
    """Each is a snake_case word, none twice, and all fit in a byte."""
    words = REASONS[1:]

    assert REASONS[0] == ""
    assert len(set(REASONS)) == len(REASONS) <= 256
    assert all(re.fullmatch(r"[a-z][a-z_]*[a-z]", word) for word in words)


def test_stored_positions_stay() -> None:
    """The byte is the position: the list may only grow at its end."""
    assert [code_of(r) for r in ("", "other", "attempts_exhausted", "alert_expired", "no_channel", "timeout")] == [
        0,
        1,
        2,
        3,
        6,
        12,
    ]
    assert code_of("submit_failed") == 45


def test_own_word_of_an_adapter_is_other() -> None:
    """A third-party adapter may say what it likes; the record says ``other``."""
    assert reason_of(code_of("solar_flare")) == "other"


def test_reason_of_a_newer_version_is_other() -> None:
    """A byte that this version does not know does not break a report."""
    assert reason_of(len(REASONS)) == reason_of(255) == "other"
