"""Figures as people read them: grouped numbers, ages, and times of their own zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

MINUTE = 60
HOUR = 3600
DAY = 86400

#: A heartbeat or a figure younger than this is as good as now.
FRESH = 5.0

_GAP = "\N{NO-BREAK SPACE}"
_UNITS = {"en": ("s", "min", "h", "d"), "ru": ("с", "мин", "ч", "д")}


def units(language: str) -> Sequence[str]:
    """Return the short words for second, minute, hour and day."""
    return _UNITS[language]


def number(value: float, language: str) -> str:
    """Return ``12,480`` or ``12 480``; a fraction keeps one digit: ``0.4`` or ``0,4``."""
    text = f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:,.1f}"
    if language == "ru":
        return text.replace(",", _GAP).replace(".", ",")
    return text


def age(seconds: float, language: str) -> str:
    """Return ``40 s``, ``1 min 40 s``, ``25 min``, ``3 h 5 min`` or ``2 d 4 h``; below zero is now."""
    second, minute, hour, day = units(language)
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} {second}"
    if whole < 10 * MINUTE:
        return _two(whole, (MINUTE, minute), (1, second))
    if whole < HOUR:
        return f"{whole // MINUTE} {minute}"
    if whole < DAY:
        return _two(whole, (HOUR, hour), (MINUTE, minute))
    return _two(whole, (DAY, day), (HOUR, hour))


def _two(whole: int, large: tuple[int, str], small: tuple[int, str]) -> str:
    first, rest = divmod(whole, large[0])
    second = rest // small[0]
    return f"{first} {large[1]} {second} {small[1]}" if second else f"{first} {large[1]}"


@dataclass(frozen=True, slots=True)
class Wall:
    """The clock on the reader's wall: ``now`` (aware) and the zone that times are shown in."""

    now: datetime
    zone: tzinfo
    language: str

    @property
    def offset(self) -> str:
        """The zone's offset now, as ``UTC+06:00``, or ``UTC``."""
        ahead = self.now.astimezone(self.zone).utcoffset() or timedelta()
        if not ahead:
            return "UTC"
        minutes = int(ahead.total_seconds()) // MINUTE
        return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"

    @property
    def offset_minutes(self) -> int:
        """The zone's offset now in minutes."""
        return int((self.now.astimezone(self.zone).utcoffset() or timedelta()).total_seconds()) // MINUTE

    def clock(self, moment: datetime) -> str:
        """Return ``03:12:44``, with the day before it when that is not today."""
        local = moment.astimezone(self.zone)
        if local.date() == self.now.astimezone(self.zone).date():
            return f"{local:%H:%M:%S}"
        return f"{local:%Y-%m-%d %H:%M}"

    def utc(self) -> str:
        """Return the time of day in UTC."""
        return f"{self.now.astimezone(UTC):%H:%M:%S}"

    def since(self, moment: datetime) -> float:
        """Return the seconds from ``moment`` to now."""
        return (self.now - moment).total_seconds()

    def ago(self, moment: datetime) -> str:
        """Return the age of ``moment``."""
        return age(self.since(moment), self.language)

    def count(self, value: float) -> str:
        """Return a number as the reader writes it."""
        return number(value, self.language)
