"""CAP times as instants: ``YYYY-MM-DDThh:mm:ss±hh:mm`` and what agencies write instead (CAP-v1.2-os §3.3.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from relay.cap.model import Time

_FORM = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([.,]\d{1,20})?(Z|z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_YEARS = range(1970, 2200)
_FARTHEST_ZONE = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class TimeReading:
    """What a text says: ``time`` (None when no instant), and the catalogue keys of what was repaired or is wrong."""

    time: Time | None
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=1024)  # an alert says the same few times again and again
def read_time(text: str) -> TimeReading:
    """Read a stripped CAP time.

    ``Z`` becomes ``-00:00``, fractions are dropped, a zone without its colon gets it: each is noted.  A time without
    a zone says no instant.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        return TimeReading(None, ("time-form",))
    seconds, fraction, zone = form.groups()
    if zone is None:
        return TimeReading(None, ("time-naive",))
    notes = ("time-fraction",) if fraction else ()
    if zone in ("Z", "z"):
        zone, notes = "-00:00", (*notes, "time-zulu")
    elif len(zone) == 5:
        zone, notes = f"{zone[:3]}:{zone[3:]}", (*notes, "time-colon")
    instant = _instant(seconds + zone)
    if instant is None:
        return TimeReading(None, ("time-form",))
    return TimeReading(Time(seconds + zone if notes else text, instant), notes)


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:  # the 30th of February, 25 o'clock, a leap second
        return None
    zone = instant.utcoffset()
    if zone is None or abs(zone) > _FARTHEST_ZONE or instant.year not in _YEARS:
        return None
    return instant


def seconds(time: Time) -> int:
    """Return the instant as whole seconds since the epoch: equal for the same moment in any zone."""
    return int(time.instant.timestamp())


def cap_time(instant: datetime) -> Time:
    """Return ``instant`` (aware) as a CAP time in UTC, which CAP writes ``-00:00``."""
    utc = instant.astimezone(UTC).replace(microsecond=0)
    return Time(utc.strftime("%Y-%m-%dT%H:%M:%S") + "-00:00", utc)
