"""What the stream of changes says, in either protocol's form."""

import pytest

from relay.store.changes import Changes, reaches_from, read_changes

ENTRIES = [(b"5-0", [b"o", b"3,9"]), (b"5-1", [b"o", b"3"])]


@pytest.mark.parametrize(
    "reply",
    [
        [[b"changes", ENTRIES]],
        {b"changes": [[(at, {fields[0]: fields[1]}) for at, fields in ENTRIES]]},
    ],
)
def test_ordinals_in_order_and_where_to_go_on(reply: object) -> None:
    """Every mention counts, and the last entry is the position."""
    assert read_changes(reply) == Changes([3, 9, 3], "5-1")


def test_silence_is_no_change() -> None:
    """A block that ended without news."""
    assert read_changes(None) is None
    assert read_changes([]) is None


@pytest.mark.parametrize(
    ("oldest", "position", "reaches"),
    [
        ([], "0-0", True),  # nothing was ever said, nothing was read
        ([(b"5-0", [])], "0-0", False),  # whatever was said before 5-0 may be gone
        ([], "5-0", False),  # the stream was lost
        ([(b"5-0", [])], "5-0", True),
        ([(b"5-0", [])], "12-0", True),  # numbers, not texts
        ([(b"5-3", [])], "5-2", False),
    ],
)
def test_whether_the_stream_reaches_back(oldest: list[tuple[bytes, list[bytes]]], position: str, reaches: bool) -> None:
    """An index that is behind the oldest entry must be loaded anew."""
    assert reaches_from(oldest, position) is reaches
