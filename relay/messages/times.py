"""Times as their readers' clocks show them.

CAP times carry the agency's local offset (§3.3.2), so without a configured zone that offset is the readers' own.
An offset of zero mostly means that the agency writes UTC; then the text says so, or people would be hours late.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from relay.cap.model import Time
from relay.messages.phrasebook import Phrases

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})$")


def offset_of(text: str) -> tzinfo:
    """Return the offset at the end of a CAP time, UTC when there is none."""
    found = _OFFSET.search(text)
    if found is None:
        return UTC
    minutes = int(found[2]) * 60 + int(found[3])
    if not 0 < minutes < 24 * 60:
        return UTC
    return timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """How the times of one message are written.

    ``zone`` is the readers' zone; ``stated`` whether an operator configured it; ``today`` the local day on which
    the alert was sent: times of that day are written without a date.
    """

    words: Phrases
    zone: tzinfo
    stated: bool
    today: datetime

    def clock(self, moment: datetime) -> str:
        """Return ``18:00``, or ``18:00 UTC`` when that is not known to be the readers' time."""
        local = self._local(moment)
        time = f"{local.hour:02}:{local.minute:02}"
        return time if self.stated or local.utcoffset() else f"{time} UTC"

    def short(self, moment: datetime) -> str:
        """Return ``18:00``, or ``18:00 14.03`` when it is another day than today."""
        local = self._local(moment)
        return self.clock(moment) if self._is_today(local) else f"{self.clock(moment)} {local:%d.%m}"

    def until(self, moment: datetime) -> str:
        """Return the phrase "until 18:00", with the day when it is another one."""
        local = self._local(moment)
        time, ending = self.clock(moment), self.words.ending(local.minute)
        if self._is_today(local):
            return self.words.say("until", time=time, ending=ending)
        return self.words.say("until_day", time=time, ending=ending, date=f"{local:%d.%m}")

    def long(self, moment: datetime) -> str:
        """Return time, day, month and year in words."""
        local = self._local(moment)
        month = self.words.months[local.month - 1]
        return self.words.say("moment", time=self.clock(moment), day=local.day, month=month, year=local.year)

    def _local(self, moment: datetime) -> datetime:
        try:
            return moment.astimezone(self.zone)
        except OverflowError:  # an agency's "for ever": 9999-12-31
            return moment

    def _is_today(self, local: datetime) -> bool:
        return local.date() == self._local(self.today).date()


def calendar(sent: Time, zone: tzinfo | None, words: Phrases) -> Calendar:
    """Return the calendar of a message ``sent`` then; ``zone`` None takes the offset the agency wrote."""
    own = offset_of(sent.text)
    return Calendar(words=words, zone=zone or own, stated=zone is not None, today=sent.instant)
