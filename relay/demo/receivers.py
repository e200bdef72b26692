"""The receivers' side: all that arrived on this machine, as a phone, a mail program or a server would show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Self

import orjson

from relay.demo.people import NO_RECEIPT, PEOPLE, Person, by_id
from relay.testing.smsc import Smsc
from relay.testing.smtp import Mail, SmtpReceiver
from relay.testing.webhooks import Hook, WebhookReceiver

Way = tuple[str, str]
"""A kind and an address of it; a webhook is named by its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One message that reached a receiver; ``parts`` of an SMS, 1 elsewhere; ``link`` is where to acknowledge.

    ``signed`` says that a webhook's signature was right; None for other kinds.
    """

    kind: str
    address: str
    text: str
    language: str = ""
    parts: int = 1
    signed: bool | None = None
    link: str = ""

    @property
    def way(self) -> Way:
        """Kind and address."""
        return self.kind, self.address


class Receivers:
    """An SMS centre, a mail server and a webhook receiver, open between ``async with``."""

    def __init__(self, *, secret: str) -> None:
        self.smsc = Smsc()
        self.smsc.silent = {by_id(NO_RECEIPT).number}
        self.mail = SmtpReceiver()
        self.hooks = WebhookReceiver(secrets={"*": secret})
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.smsc)
        await self._stack.enter_async_context(self.mail)
        await self._stack.enter_async_context(self.hooks)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def count(self) -> int:
        """How many messages arrived so far."""
        return len(self.smsc.messages) + len(self.mail.mails) + len(self.hooks.hooks)

    @property
    def faults(self) -> Sequence[str]:
        """What no receiver could read."""
        return self.smsc.unreadable

    def mark(self) -> Mark:
        """Return the present end of what arrived."""
        return Mark(len(self.smsc.messages), len(self.mail.mails), len(self.hooks.hooks))

    def since(self, mark: Mark) -> list[Arrival]:
        """Return what arrived after ``mark``, kind by kind in the order of arrival."""
        return [
            *(
                Arrival(kind="sms", address=message.number, text=message.text, parts=message.parts)
                for message in self.smsc.messages[mark.sms :]
            ),
            *(arrival for mail in list(self.mail.mails)[mark.mail :] for arrival in read_mail(mail)),
            *(read_hook(hook) for hook in list(self.hooks.hooks)[mark.hooks :]),
        ]


@dataclass(frozen=True, slots=True)
class Mark:
    """So many had arrived."""

    sms: int
    mail: int
    hooks: int


def read_mail(mail: Mail) -> Iterator[Arrival]:
    """Yield the arrival for each mailbox of one mail; its text is the subject, its link the only one of ours."""
    subject = str(mail.message["Subject"])
    words = (word for word in mail.text.split() if "/a/" in word)
    link = next(words, "")
    language = str(mail.message["Content-Language"] or "")
    for mailbox in mail.recipients:
        yield Arrival(kind="email", address=mailbox, text=subject, language=language, link=link)


def read_hook(hook: Hook) -> Arrival:
    """Return the arrival of one webhook."""
    data = orjson.loads(hook.body)["data"]
    return Arrival(
        kind="webhook",
        address=hook.path,
        text=str(data["text"]),
        language=str(data["language"]),
        signed=hook.signature_ok,
        link=str(data["ack_url"]),
    )


KINDS: Final = {"sms": "SMS", "email": "e-mail", "webhook": "webhook"}


def owner(way: Way) -> Person | None:
    """Return whose address this is, or None."""
    return _OWNERS.get(way)


_OWNERS: Final = {way: person for person in PEOPLE for way in person.addresses}


def ways(people: Iterable[Person]) -> set[Way]:
    """Return all addresses of ``people``."""
    return {way for person in people for way in person.addresses}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Who should have been told against who was."""

    lost: tuple[Way, ...]
    twice: tuple[Way, ...]
    strangers: tuple[Way, ...]

    @property
    def exact(self) -> bool:
        """Whether everybody was told once, and nobody else."""
        return not (self.lost or self.twice or self.strangers)

    def __str__(self) -> str:
        """Return the sentence for people."""
        if self.exact:
            return "0 lost, 0 twice"
        return f"{len(self.lost)} lost, {len(self.twice)} twice, {len(self.strangers)} to others"


def compare(expected: Iterable[Way], arrived: Iterable[Arrival]) -> Comparison:
    """Compare the addresses that should get one message each with what arrived."""
    wanted = set(expected)
    seen = [arrival.way for arrival in arrived]
    return Comparison(
        lost=tuple(sorted(wanted - set(seen))),
        twice=tuple(sorted({way for way in seen if seen.count(way) > 1})),
        strangers=tuple(sorted(set(seen) - wanted)),
    )
