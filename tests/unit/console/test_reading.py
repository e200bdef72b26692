"""Single values of the /status JSON: nothing odd stops the page."""

from datetime import UTC, datetime
from typing import Any

import pytest

from relay.console.reading import before, moment, part, rows, text, truth, whole

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "x", [], {}, True, -1, float("nan"), float("inf"), 1e300])
def test_what_is_no_count_is_none(value: Any) -> None:
    """Only a number that can count does."""
    assert whole(value) == 0


def test_counts_are_whole() -> None:
    """Numbers come through."""
    assert (whole(0), whole(7), whole(7.9), whole(412_480)) == (0, 7, 7, 412_480)


def test_texts_are_one_short_line() -> None:
    """A long or broken text does not push the rest off the screen."""
    assert text(" a\n\tb  c ") == "a b c"
    assert text("x" * 500, longest=10) == "xxxxxxxxx…"
    assert text(None) == ""
    assert text(7) == ""


@pytest.mark.parametrize("value", [None, "", "yesterday", [], True, -5, 1e300, "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_none(value: Any) -> None:
    """A time that cannot be read is not guessed."""
    assert moment(value) is None


@pytest.mark.parametrize(
    "value", ["2026-03-01T06:00:00Z", "2026-03-01T12:00:00+06:00", "2026-03-01T06:00:00", NOW.timestamp()]
)
def test_times_are_in_utc(value: Any) -> None:
    """RFC 3339 with any offset, or seconds since the epoch."""
    assert moment(value) == NOW


@pytest.mark.parametrize("seconds", [None, "x", True, 1e300, float("nan")])
def test_an_age_that_cannot_be_is_none(seconds: Any) -> None:
    """No age, no time."""
    assert before(NOW, seconds) is None
    assert before(None, 5) is None


def test_an_age_becomes_a_time() -> None:
    """So many seconds before the figures were made."""
    assert before(NOW, 90.0) == datetime(2026, 3, 1, 5, 58, 30, tzinfo=UTC)


def test_lists_and_mappings_are_rows() -> None:
    """What is no row is left out."""
    assert rows([{"a": 1}, 7, None]) == [{"a": 1}]
    assert rows({"w1": {"a": 1}, "w2": None}) == [{"name": "w1", "a": 1}]
    assert rows("text") == []
    assert rows(None) == []


def test_parts_and_truths() -> None:
    """A bare word for trouble is kept as its error."""
    assert part({"a": 1}) == {"a": 1}
    assert part("refused") == {"error": "refused"}
    assert part("ok") == {}
    assert truth("yes", otherwise=False) is False
    assert truth(value=True, otherwise=False) is True
