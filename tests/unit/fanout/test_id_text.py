"""Provider ids as few bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.fanout.id_text import pack, size, unpack

LATIN = st.text("abcdefABCDEF0123456789-_+/ =", max_size=40)


@given(st.one_of(LATIN, st.text(max_size=60), st.from_regex(r"\A[0-9a-f]{1,36}\Z"), st.from_regex(r"\A[0-9A-F]+\Z")))
def test_text_reads_back(text: str) -> None:
    """Whatever a provider calls its messages, leading zeros and capitals among it, reads back as it was."""
    form, length, packed = pack(text)

    assert 0 <= form <= 3
    assert len(packed) == size(form, length)
    assert unpack(form, length, packed) == text


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("0000002a", 4),
        ("1234567", 4),
        ("DEADBEEF01", 5),
        ("8f14e45fceea167a", 8),
        ("Qk3_9-aZ81xYtB7p", 12),
        ("6fa459ea-ee8a-3ca4-894e-db77e160355e", 27),
        ("a.b:c", 5),
        ("", 0),
    ],
)
def test_usual_ids_are_small(text: str, bytes_: int) -> None:
    """Digits take half a byte, letters and digits six bits; others are kept as they are."""
    assert len(pack(text)[2]) == bytes_


def test_long_text_is_cut() -> None:
    """What is kept of a long id is its beginning, of whole characters as far as they fit."""
    form, length, packed = pack("ы" * 200)

    assert (length, len(packed)) == (255, 255)
    assert unpack(form, length, packed).startswith("ы" * 127)
