"""Times as their readers' clocks show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from relay.cap.model import Time
from relay.messages.phrasebook import table
from relay.messages.times import Calendar, calendar, offset_of

_BISHKEK = timezone(timedelta(hours=6))


def _calendar(language: str, sent: str = "2025-03-14T14:05:00+06:00", zone: timezone | None = None) -> Calendar:
    return calendar(Time(sent, datetime.fromisoformat(sent)), zone, table(language))


def _utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2025, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2025-03-14T14:05:00+06:00", 6),
        ("2025-03-14T14:05:00-03:30", -3.5),
        ("2025-03-14T14:05:00-00:00", 0),
        ("2025-03-14T14:05:00Z", 0),
        ("2025-03-14T14:05:00+0500", 5),
        ("2025-03-14T14:05:00+99:00", 0),
        ("", 0),
    ],
)
def test_offset_of(text: str, hours: float) -> None:
    """The offset is what the agency wrote; what cannot be one is UTC."""
    assert offset_of(text).utcoffset(None) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("language", "same_day", "next_day"),
    [
        ("ru", "До 18:00", "До 04:30 15.03"),
        ("en", "Until 18:00", "Until 04:30 15.03"),
        ("kk", "18:00-ге дейін", "15.03, 04:30-ға дейін"),
        ("ky", "Саат 18:00гө чейин", "15.03, саат 04:30га чейин"),
    ],
)
def test_until(language: str, same_day: str, next_day: str) -> None:
    """Until when is local time in the language's own grammar, with the day when it is another one."""
    written = _calendar(language)

    assert written.until(_utc(14, 12)) == same_day
    assert written.until(_utc(14, 22, 30)) == next_day


def test_utc_is_said() -> None:
    """An agency that writes UTC must not send people away hours late: the text says UTC."""
    assert _calendar("ru", "2025-03-14T08:05:00-00:00").until(_utc(14, 12)) == "До 12:00 UTC"


def test_a_configured_zone_wins() -> None:
    """With the readers' zone configured, their clock decides and UTC is not mentioned."""
    assert _calendar("ru", "2025-03-14T08:05:00-00:00", _BISHKEK).until(_utc(14, 12)) == "До 18:00"


def test_long() -> None:
    """On a page the moment has its day, month and year."""
    assert _calendar("ru").long(_utc(14, 12)) == "18:00, 14 марта 2025"
    assert _calendar("ky").long(_utc(14, 12)) == "2025-ж. 14-март, 18:00"


def test_the_end_of_time() -> None:
    """An alert that never expires is written, not refused."""
    forever = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)

    assert _calendar("en").short(forever) == "23:59 UTC 31.12"
