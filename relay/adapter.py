"""The plug-in contract: everything an adapter needs to know of the relay.

An adapter hands rendered messages of one kind to one provider and says truthfully what happened.  It owns
connections and the provider's protocol; the core owns retries, rate, failover, templates and tracking.
Adapters are found by entry point (group ``chapar.adapters``); ``relay.testing.AdapterContract`` checks them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel

from relay.clock import Clock, SystemClock

API_VERSION = 1


class Kind(StrEnum):
    """How a person or system is reached."""

    SMS = "sms"
    EMAIL = "email"
    WEBHOOK = "webhook"


class Class(StrEnum):
    """How urgent an alert is (design §8); smaller is worse news, PX is a drill."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
    PX = "PX"


class Hole(StrEnum):
    """What is personal in a message; everything else is rendered once per variant and kind."""

    DELIVERY_ID = "delivery_id"
    RECIPIENT = "recipient"  # the recipient's id
    NAME = "name"
    ACK_URL = "ack_url"
    CAP_URL = "cap_url"
    TIMESTAMP = "timestamp"  # RFC 3339, when this hand-over was prepared

    # Enum hashes by name in Python; a table of values is made for every message.
    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True)
class Template:
    """A text with typed holes: literal strings and :class:`Hole` members in reading order."""

    parts: tuple[str | Hole, ...]

    def fill(self, values: Mapping[Hole, str]) -> str:
        """Return the text with every hole filled.

        Raises:
            KeyError: a hole has no value; the core always gives all of them.
        """
        return "".join([values[part] if isinstance(part, Hole) else part for part in self.parts])

    @property
    def holes(self) -> frozenset[Hole]:
        """The holes that occur in this text."""
        return frozenset(part for part in self.parts if isinstance(part, Hole))


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What all recipients of one variant read on one kind.

    ``text`` is the whole message as plain text (SMS: already folded and shortened); ``subject`` and ``html``
    exist for e-mail; ``body`` is the JSON document of a webhook (holes are JSON-escaped by the core);
    ``cap`` holds the agency's original bytes for ``format = "cap"``.
    """

    language: str
    rtl: bool
    text: Template
    subject: str = ""
    html: Template | None = None
    body: Template | None = None
    cap: bytes = b""


def _none() -> str:
    """Nothing hinders."""
    return ""


@dataclass(slots=True, kw_only=True)
class Item:
    """One delivery to hand over now; do not change it (it is not frozen because making it would cost twice as much).

    ``delivery_id`` is stable over retries: idempotency key, ``webhook-id`` and part of the Message-ID.
    ``address`` is a number in E.164, a mailbox or a URL; ``secret`` is a webhook's signing secret or empty.
    ``hindrance`` is to be asked when an item that had to wait inside the adapter gets its turn: a reason means that it
    may not leave any more (:meth:`Outcome.hindered`).
    """

    delivery_id: str
    address: str
    content: Content
    values: Mapping[Hole, str]
    klass: Class
    expires: datetime
    send_number: int = 1
    secret: str = ""
    hindrance: Callable[[], str] = _none

    @property
    def text(self) -> str:
        """The plain text, filled."""
        return self.content.text.fill(self.values)

    @property
    def html(self) -> str:
        """The HTML text, filled; empty when there is none."""
        return self.content.html.fill(self.values) if self.content.html is not None else ""

    @property
    def body(self) -> bytes:
        """The webhook document, filled."""
        return self.content.body.fill(self.values).encode() if self.content.body is not None else b""


Batch = Sequence[Item]


class Verdict(StrEnum):
    """What one hand-over led to."""

    ACCEPTED = "accepted"  # the provider took it; a receipt may follow
    DELIVERED = "delivered"  # the recipient's own system took it (webhook 2xx)
    RETRY = "retry"  # it certainly did not leave, or the provider asks to come again
    THROTTLED = "throttled"  # the provider or a local limit asks to slow down; costs no attempt
    REJECTED = "rejected"  # it will never work for this recipient or message
    OPTED_OUT = "opted_out"  # the recipient does not want to be told here any more
    UNKNOWN = "unknown"  # the bytes may have left: never a blind retry


class Scope(StrEnum):
    """What an outcome is about; a provider's or configuration's fault never spends a recipient's attempt."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    PROVIDER = "provider"
    CONFIG = "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to one item.

    ``provider_ids`` are the provider's own ids (one per SMS part); ``reason`` is a stable snake_case code;
    ``retry_after`` is in seconds; ``detail`` is at most 256 characters for the operator and never holds an
    address or a message body.
    """

    verdict: Verdict
    reason: str = ""
    scope: Scope = Scope.RECIPIENT
    provider_ids: tuple[str, ...] = ()
    retry_after: float | None = None
    detail: str = ""

    @classmethod
    def hindered(cls, reason: str) -> Outcome:
        """Return the outcome of an item that may not leave any more (see :class:`Item`): nothing of it did."""
        return cls(verdict=Verdict.RETRY, reason=reason, scope=Scope.PROVIDER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The provider's later word on something it accepted.

    ``verdict`` is DELIVERED or REJECTED for a final word and ACCEPTED for an intermediate one.
    ``delivery_id`` is given where the provider carries ours; else ``provider_id`` finds the delivery.
    """

    provider_id: str = ""
    delivery_id: str = ""
    verdict: Verdict
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message that a responder sent to us, such as an SMS reply ``1``."""

    sender: str
    text: str
    at: datetime | None = None


Event = Receipt | Inbound


class NoSettings(BaseModel, frozen=True, extra="forbid"):
    """For adapters that need no settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """What is true of an adapter before it is opened.

    ``max_batch`` is the largest batch ``send`` takes (≤ 256); ``max_in_flight`` bounds the items that are
    handed over and unanswered at the same time in one process; ``idempotent`` means that the same
    ``delivery_id`` may be handed over twice and the receiving side drops the second; ``receipts`` that
    :meth:`Adapter.events` yields receipts; ``two_way`` that it yields replies.
    """

    name: str
    kind: Kind
    settings: type[BaseModel] = NoSettings
    api: int = API_VERSION
    idempotent: bool = False
    max_batch: int = 64
    max_in_flight: int = 512
    receipts: bool = False
    two_way: bool = False


class EgressGuard(Protocol):
    """Decides which addresses a recipient's URL may lead to (design §16, ``egress.allow``)."""

    def check_url(self, url: str) -> None:
        """Refuse a URL that may not be contacted.

        Raises:
            relay.errors.InvalidInput: slug ``blocked-target`` or ``bad-uri``.
        """
        ...

    def socket_factory(self, addr_info: tuple[object, ...]) -> object:
        """Return a socket for ``aiohttp.TCPConnector(socket_factory=…)``; raise OSError for a blocked address.

        The error is :class:`relay.errors.BlockedTarget`.
        """
        ...


@runtime_checkable
class ChecksNames(Protocol):
    """A guard that also judges what a name resolved to, before anything is dialled."""

    def check_addresses(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Refuse ``host`` when any of the addresses it resolved to is blocked.

        Raises:
            relay.errors.BlockedTarget: the whole name is blocked.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the core lends to an open adapter.

    ``channel`` is the channel's name, ``log`` a bound structlog logger, ``egress`` the guard for recipients'
    URLs, ``public_host`` a host name for Message-IDs and greetings, ``clock`` the time.
    """

    channel: str
    log: object
    egress: EgressGuard
    public_host: str = "localhost"
    user_agent: str = "Chapar"
    clock: Clock = field(default_factory=SystemClock)
    extra: Mapping[str, object] = field(default_factory=dict)


class Adapter(Protocol):
    """One instance per configured channel and worker process.

    The class is what the entry point names; the core reads ``descriptor``, constructs
    ``cls(settings, services)`` and then calls ``open``.
    """

    descriptor: ClassVar[Descriptor]

    def __init__(self, settings: BaseModel, services: Services) -> None: ...

    async def open(self) -> None:
        """Make ready; must not fail because the provider is down now (say so in the outcomes)."""
        ...

    async def close(self, *, deadline: float) -> None:
        """Finish what is in flight within ``deadline`` seconds, then let go of everything."""
        ...

    async def send(self, batch: Batch) -> Sequence[Outcome]:
        """Hand over ``batch`` and return one outcome per item, in order.

        Raises:
            relay.errors.ProviderDown: nothing of the whole batch left.
        """
        ...


@runtime_checkable
class Describes(Protocol):
    """An adapter whose descriptor depends on its settings, such as a console that stands in for any kind."""

    @classmethod
    def describe(cls, settings: BaseModel) -> Descriptor:
        """Return the descriptor that holds for ``settings``; the class attribute is the default."""
        ...


@runtime_checkable
class Listens(Protocol):
    """An adapter that hears receipts or replies."""

    def events(self) -> AsyncIterator[Event]:
        """Yield receipts and replies until the adapter is closed."""
        ...


@runtime_checkable
class Streams(Protocol):
    """An adapter that tells each outcome as soon as it is known: who hangs holds his own place, not his batch's."""

    async def stream(self, batch: Batch, heard: Callable[[Outcome], None]) -> Sequence[Outcome]:
        """Do what ``send`` does, and call ``heard`` once for each item, as soon as its outcome is known."""


@runtime_checkable
class Probes(Protocol):
    """An adapter that can be asked cheaply whether its provider answers."""

    async def health(self) -> str:
        """Return an empty string when the provider answers, else a short sentence for the operator."""
        ...
