"""Numbers, ages and times as an operator reads them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from relay.console.figures import Wall, age, number

BISHKEK = timezone(timedelta(hours=6))


@pytest.mark.parametrize(
    ("value", "english", "russian"),
    [
        (0, "0", "0"),
        (999, "999", "999"),
        (12_480, "12,480", "12\u00a0480"),
        (1_000_000, "1,000,000", "1\u00a0000\u00a0000"),
        (0.4, "0.4", "0,4"),
        (812.4, "812", "812"),
        (41.0, "41", "41"),
    ],
)
def test_numbers_are_grouped(value: float, english: str, russian: str) -> None:
    """A million and a hundred thousand are told apart at a glance, in the way of each language."""
    assert number(value, "en") == english
    assert number(value, "ru") == russian


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (-3, "0 s", "0 с"),
        (0.9, "0 s", "0 с"),
        (59.9, "59 s", "59 с"),
        (60, "1 min", "1 мин"),
        (100, "1 min 40 s", "1 мин 40 с"),
        (599, "9 min 59 s", "9 мин 59 с"),
        (600, "10 min", "10 мин"),
        (3599, "59 min", "59 мин"),
        (3600, "1 h", "1 ч"),
        (11_100, "3 h 5 min", "3 ч 5 мин"),
        (86_400, "1 d", "1 д"),
        (187_200, "2 d 4 h", "2 д 4 ч"),
    ],
)
def test_ages_have_two_units_at_most(seconds: float, english: str, russian: str) -> None:
    """Seconds matter for minutes, minutes for hours; a clock that runs ahead reads as now."""
    assert age(seconds, "en") == english
    assert age(seconds, "ru") == russian


@pytest.mark.parametrize(
    ("zone", "offset", "minutes", "clock"),
    [
        (UTC, "UTC", 0, "21:12:44"),
        (BISHKEK, "UTC+06:00", 360, "03:12:44"),
        (timezone(timedelta(hours=4, minutes=30)), "UTC+04:30", 270, "01:42:44"),
        (timezone(-timedelta(hours=3, minutes=30)), "UTC-03:30", -210, "17:42:44"),
    ],
)
def test_times_are_local_and_say_so(zone: timezone, offset: str, minutes: int, clock: str) -> None:
    """The wall clock of the room, with its distance from UTC."""
    now = datetime(2026, 3, 13, 21, 12, 44, tzinfo=UTC)
    wall = Wall(now, zone, "en")

    assert wall.clock(now) == clock
    assert (wall.offset, wall.offset_minutes) == (offset, minutes)
    assert wall.utc() == "21:12:44"


def test_another_day_is_named() -> None:
    """Before midnight of the room is yesterday, even when UTC still says today."""
    wall = Wall(datetime(2026, 3, 13, 21, 12, 44, tzinfo=UTC), BISHKEK, "ru")

    assert wall.clock(datetime(2026, 3, 13, 17, 0, tzinfo=UTC)) == "2026-03-13 23:00"
    assert wall.ago(datetime(2026, 3, 13, 21, 11, 4, tzinfo=UTC)) == "1 мин 40 с"
