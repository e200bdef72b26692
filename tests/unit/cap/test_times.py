from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from relay.cap.times import cap_time, read_time, seconds


@pytest.mark.parametrize(
    ("text", "kept", "notes"),
    [
        ("2026-03-01T04:05:40+05:00", "2026-03-01T04:05:40+05:00", ()),
        ("2026-03-01T04:05:40-00:00", "2026-03-01T04:05:40-00:00", ()),
        ("2026-03-01T04:05:40Z", "2026-03-01T04:05:40-00:00", ("time-zulu",)),
        ("2026-03-01T04:05:40.123+05:00", "2026-03-01T04:05:40+05:00", ("time-fraction",)),
        ("2026-03-01T04:05:40.5Z", "2026-03-01T04:05:40-00:00", ("time-fraction", "time-zulu")),
        ("2026-03-01T04:05:40+0500", "2026-03-01T04:05:40+05:00", ("time-colon",)),
    ],
)
def test_time_is_read_and_repaired(text: str, kept: str, notes: tuple[str, ...]) -> None:
    """CAP-004: a time keeps its text; what CAP forbids but everybody understands is repaired and noted."""
    reading = read_time(text)

    assert reading.time is not None
    assert reading.time.text == kept
    assert reading.notes == notes


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T25:00:00+05:00",
        "2026-02-30T00:00:00+05:00",
        "2026-06-30T23:59:60+00:00",
        "0000-01-01T00:00:00+00:00",
        "9999-01-01T00:00:00+00:00",
        "2026-03-01T00:00:00+99:99",
        "2026-03-01T00:00:00+15:00",
        "Sun, 01 Mar 2026 04:05:40 GMT",
        "2026-03-01",
        "２０２６-03-01T04:05:40+05:00",
        "1772319940",
        "",
        "2026-03-01T04:05+05:00",
    ],
)
def test_nonsense_is_no_time(text: str) -> None:
    """BI-139: a date that does not exist, a leap second, an absurd zone and other formats say no instant."""
    assert read_time(text).time is None
    assert read_time(text).notes == ("time-form",)


def test_naive_time_says_no_instant() -> None:
    """CAP-004: a time without a zone is never guessed."""
    assert read_time("2026-03-01T04:05:40").notes == ("time-naive",)
    assert read_time("2026-03-01T04:05:40").time is None


def test_same_moment_in_two_zones() -> None:
    """Two zones, one instant; -00:00 and +00:00 are UTC."""
    readings = [read_time(text).time for text in ("2026-03-01T05:39:00+05:00", "2026-03-01T00:39:00-00:00")]

    assert readings[0] is not None
    assert readings[1] is not None
    assert seconds(readings[0]) == seconds(readings[1])


def test_cap_time_is_written_in_utc() -> None:
    """CAP writes UTC as -00:00 and has no fractions."""
    time = cap_time(datetime(2026, 3, 1, 4, 5, 40, 999, tzinfo=timezone(timedelta(hours=5))))

    assert time.text == "2026-02-28T23:05:40-00:00"
    assert time.instant == datetime(2026, 2, 28, 23, 5, 40, tzinfo=UTC)
