"""Acknowledgement tokens stand for one delivery, and cannot be made without the secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.adapter import Kind
from relay.fanout.ids import DeliveryRef, leg_id
from relay.tracking.token import make, read

SECRET = b"a secret of thirty-two bytes ....."
LEG = leg_id("alert", kind=Kind.SMS, round_number=0)
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


@given(st.integers(0, 32**7 - 1))
def test_token_names_its_delivery(rank: int) -> None:
    """Whatever the rank, the token reads back as the delivery it was made for."""
    ref = DeliveryRef(LEG, rank)

    assert read(make(ref, SECRET), SECRET) == ref


@pytest.mark.parametrize(("rank", "length"), [(0, 27), (31, 27), (32, 28), (3999, 29), (999_999, 30), (9_999_999, 31)])
def test_token_is_short(rank: int, length: int) -> None:
    """A token costs a link in an SMS 27 to 31 characters."""
    assert len(make(DeliveryRef(LEG, rank), SECRET)) == length


def test_any_changed_character_is_refused() -> None:
    """Not one character can be changed, added or left out."""
    token = make(DeliveryRef(LEG, 4711), SECRET)
    changed = [token[:i] + other + token[i + 1 :] for i, old in enumerate(token) for other in ALPHABET if other != old]
    other_length = [token[:-1], token[1:], token + "a", "a" + token, token[:13] + "a" + token[13:]]
    # The last character carries four of its five bits: 64 bits are not a multiple of five.
    taken = [text for text in changed + other_length if read(text, SECRET) is not None]

    assert taken == []


def test_other_secret_is_refused() -> None:
    """A token of another relay means nothing here."""
    assert read(make(DeliveryRef(LEG, 1), b"another secret"), SECRET) is None


@given(st.text(max_size=60))
def test_nothing_else_is_a_token(text: str) -> None:
    """Any text from outside is answered with None, never with an exception."""
    assert read(text, SECRET) is None


@given(st.text(alphabet=ALPHABET, min_size=27, max_size=33))
def test_guessing_is_useless(text: str) -> None:
    """Text of the right form is not a token either."""
    assert read(text, SECRET) is None


def test_token_of_a_neighbour_differs() -> None:
    """Knowing one's own token does not give the neighbour's: the authentication codes have nothing in common."""
    macs = {make(DeliveryRef(LEG, rank), SECRET)[-13:] for rank in range(1000)}

    assert len(macs) == 1000
