"""Why a connection did not carry something."""

from __future__ import annotations

from adapters.sms.faults import BindRefused, HeldBack


def test_refusal_is_a_sentence_with_the_code() -> None:
    """The operator reads the specification's name of the code, or the provider's own number."""
    assert str(BindRefused(0x0E)) == "the provider refused the bind: ESME_RINVPASWD"
    assert str(BindRefused(0x404)) == "the provider refused the bind: ESME_0x00000404"


def test_pause_says_how_long() -> None:
    """What was held back knows when to come again."""
    assert HeldBack(0.7).seconds == 0.7
