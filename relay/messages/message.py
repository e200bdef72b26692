"""What is needed to render one variant of one alert; every rendering starts from this value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property

from relay.adapter import Class, Hole
from relay.cap.language import DEFAULT_LANGUAGE, is_rtl, script_of
from relay.cap.model import Alert, Info
from relay.messages.holes import LONGEST
from relay.messages.phrasebook import Phrases, table_for
from relay.messages.times import Calendar, calendar

_SAMPLE = 100  # characters of each field that are looked at to tell the script


@dataclass(frozen=True, kw_only=True)  # no slots: what is derived is derived once
class Message:
    """One alert as one group of recipients reads it.

    ``info`` is the one that matched; for a Cancel without infos it is that of the alert it cancels, or None when
    nobody knows it.  ``expires`` is when the relay stops sending.  ``two_way`` says that the channel's own source
    address can be answered; it decides the last sentence of an SMS.  ``language`` is that of the structural words,
    empty for the info's own.  ``zone`` is the readers' time zone, None for the offset in the alert's own times.
    ``who`` is a short name of the agency from the authority register, when it has one.  ``ack_url_length`` is that
    of our own links, in characters.
    """

    alert: Alert
    info: Info | None
    alert_id: str
    klass: Class
    expires: datetime
    two_way: bool
    language: str = ""
    zone: tzinfo | None = None
    who: str = ""
    ack_url_length: int = LONGEST[Hole.ACK_URL]

    @property
    def withdraws(self) -> bool:
        """Whether this tells people that an earlier message no longer holds."""
        return self.alert.msg_type in ("Cancel", "Error")

    @cached_property
    def own_info(self) -> bool:
        """Whether ``info`` is of this alert, and not of the one it cancels."""
        return self.info is not None and self.info in self.alert.info

    @cached_property
    def text_language(self) -> str:
        """The tag of the alert's own text, for ``lang`` attributes."""
        if self.info is None:
            return self.words.language
        if not self.info.language and script_of(self._sample) == "Cyrl":
            return self.words.language  # a screen reader told en-US would spell this out letter by letter
        return self.info.language or DEFAULT_LANGUAGE

    @property
    def rtl(self) -> bool:
        """Whether the alert's own text runs from right to left."""
        return is_rtl(self.text_language)

    @cached_property
    def words(self) -> Phrases:
        """The structural words."""
        own = self.info.language if self.info is not None else "en"
        return table_for(self.language or own, "" if self.language else self._sample)

    @cached_property
    def calendar(self) -> Calendar:
        """How this message writes times."""
        return calendar(self.alert.sent, self.zone, self.words)

    @property
    def end(self) -> datetime:
        """When the danger is said to end: the agency's own word before the relay's assumption."""
        stated = self.info.expires if self.info is not None else None
        return stated.instant if stated is not None else self.expires

    @property
    def _sample(self) -> str:
        info = self.info
        if info is None:
            return ""
        return " ".join(text[:_SAMPLE] for text in (info.headline, info.event, info.instruction, info.description))
