"""A recipient as the API and the import take it, as it is stored, and as it is shown (design §16)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from relay.adapter import EgressGuard, Kind
from relay.directory.address import MAX_VALUE, check_secret, check_value
from relay.directory.complaint import describe, found, refuse
from relay.errors import Finding, InvalidInput

MAX_ADDRESSES: Final = 8  # an address slot is three bits
HAZARDS: Final = (
    "Geo",
    "Met",
    "Safety",
    "Security",
    "Rescue",
    "Fire",
    "Health",
    "Env",
    "Transport",
    "Infra",
    "CBRNE",
    "Other",
)  # CAP §3.2.2 category, in CAP's order

_FORBIDDEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _clean(text: str) -> str:
    if text != text.strip():
        raise PydanticCustomError("outer_space", "has spaces around it")
    if text.isprintable():  # nearly every text; what is not may still be fine, as the joiners of Persian names are
        return text
    if any(unicodedata.category(char) in _FORBIDDEN or char in _BIDI for char in text):
        raise PydanticCustomError("bad_character", "has a control character")
    return text


def _id(text: str) -> str:
    # "." and ".." match the grammar, but a client's URL library walks up the path with them.
    if text in {".", ".."}:
        raise PydanticCustomError("string_pattern_mismatch", "is not an id")
    return text


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{1,64}$"), AfterValidator(_id)]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,4}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_clean)]
Name = Annotated[str, StringConstraints(max_length=200), AfterValidator(_clean)]
Value = Annotated[str, StringConstraints(min_length=1, max_length=MAX_VALUE), AfterValidator(_clean)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Address(_Shape):
    """One way to reach a recipient; its slot is its position among the recipient's addresses."""

    kind: Kind
    value: Value
    secret: Annotated[str, StringConstraints(max_length=200)] | None = Field(default=None, repr=False)


class Location(_Shape):
    """Where a recipient is, in degrees of WGS-84."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)


class Geocode(_Shape):
    """A place's code; compared exactly, the scheme without regard to case."""

    scheme: Word
    value: Word


class Recipient(_Shape):
    """A person or system to be told.

    ``languages`` in order of preference; empty ``hazards`` means all; ``policy`` "first" means that the next kind of
    address is used only when the one before did not deliver; ``drills`` must be chosen.
    """

    id: Id
    name: Name = ""
    languages: tuple[Tag, ...] = Field((), max_length=8)
    groups: tuple[Word, ...] = Field((), max_length=64)
    needs: tuple[Literal["text", "speech", "easy"], ...] = Field((), max_length=3)
    addresses: tuple[Address, ...] = Field(max_length=MAX_ADDRESSES)  # one at least: checked in parse
    location: Location | None = None
    geocodes: tuple[Geocode, ...] = Field((), max_length=64)
    min_severity: Literal["Minor", "Moderate", "Severe", "Extreme"] = "Minor"
    hazards: tuple[
        Literal[
            "Geo",
            "Met",
            "Safety",
            "Security",
            "Rescue",
            "Fire",
            "Health",
            "Env",
            "Transport",
            "Infra",
            "CBRNE",
            "Other",
        ],
        ...,
    ] = Field((), max_length=12)
    drills: bool = False
    policy: Literal["all", "first"] = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A recipient that was taken; ``new_secrets`` are the slots whose secret the relay made, to be shown once."""

    recipient: Recipient
    new_secrets: tuple[int, ...] = ()


def parse(
    body: bytes, *, guard: EgressGuard, make_secret: Callable[[], str], recipient_id: str | None = None
) -> Parsed:
    """Read one recipient from JSON.

    ``recipient_id`` is the id in the URL: a body without ``id`` gets it, a body with another is refused.
    ``make_secret`` gives ``whsec_`` and the base64 of 32 random bytes for webhooks without a secret.

    Raises:
        InvalidInput: 400 ``malformed-json``; 422 ``validation-failed`` with all findings, paths as JSON Pointers;
            422 ``blocked-target`` or ``bad-uri`` when only webhook URLs are at fault.
    """
    text = body.removeprefix(b"\xef\xbb\xbf")
    if recipient_id is not None:
        text = _with_id(text, recipient_id)
    try:
        recipient = Recipient.model_validate_json(text)
    except ValidationError as error:
        raise describe(error, Recipient.model_fields) from error
    _check_addresses(recipient, guard)
    return _with_secrets(recipient, make_secret)


def with_previous(parsed: Parsed, previous: Recipient | None) -> Parsed:
    """Return ``parsed`` with the secrets that the same webhooks already had instead of newly made ones.

    Secrets never come back in an answer, so whoever edits what he was shown leaves them out.
    """
    if previous is None or not parsed.new_secrets:
        return parsed
    known = {address.value: address.secret for address in previous.addresses if address.secret}
    addresses = list(parsed.recipient.addresses)
    kept = {slot for slot in parsed.new_secrets if addresses[slot].value in known}
    for slot in kept:
        addresses[slot] = addresses[slot].model_copy(update={"secret": known[addresses[slot].value]})
    return replace(
        parsed,
        recipient=parsed.recipient.model_copy(update={"addresses": tuple(addresses)}),
        new_secrets=tuple(slot for slot in parsed.new_secrets if slot not in kept),
    )


def carry_denied(previous: Recipient, new: Recipient, denied: int) -> int:
    """Return the opt-out bits (bit = slot) for ``new``: an opt-out follows its address to whatever slot it has now."""
    opted_out = {(address.kind, address.value) for slot, address in enumerate(previous.addresses) if denied >> slot & 1}
    return sum(1 << slot for slot, address in enumerate(new.addresses) if (address.kind, address.value) in opted_out)


def to_json(recipient: Recipient) -> bytes:
    """Return the recipient for storage, secrets included, defaults left out."""
    return orjson.dumps(recipient.model_dump(exclude_defaults=True))


def from_json(stored: bytes) -> Recipient:
    """Return what :func:`to_json` stored; its addresses were checked when it was taken.

    Raises:
        ValueError: the bytes are not such a record.
    """
    return Recipient.model_validate_json(stored)


def public(recipient: Recipient, *, reveal: Collection[int] = ()) -> dict[str, Any]:
    """Return the recipient as the API shows it: every field, no secret but those of the slots in ``reveal``."""
    shown = recipient.model_dump(mode="json")
    for slot, address in enumerate(shown["addresses"]):
        if slot not in reveal or address["secret"] is None:
            del address["secret"]
    return shown


def _with_id(text: bytes, recipient_id: str) -> bytes:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    if not isinstance(document, dict):
        return text
    if document.setdefault("id", recipient_id) != recipient_id:
        raise refuse([found("RELAY-FIELD", "id_mismatch", "/id")])
    return orjson.dumps(document)


def _check_addresses(recipient: Recipient, guard: EgressGuard) -> None:
    findings = [] if recipient.addresses else [found("RELAY-FIELD", "too_short", "/addresses")]
    blocked: list[InvalidInput] = []
    seen: set[tuple[Kind, str]] = set()
    for slot, address in enumerate(recipient.addresses):
        path = f"/addresses/{slot}"
        for part, fault in (
            ("value", check_value(address.kind, address.value)),
            ("secret", check_secret(address.kind, address.secret)),
        ):
            if fault is not None:
                findings.append(Finding(**fault._asdict(), severity="error", path=f"{path}/{part}"))
        if (address.kind, address.value) in seen:
            findings.append(found("RELAY-FIELD", "repeated", path))
        seen.add((address.kind, address.value))
        if address.kind is Kind.WEBHOOK:
            blocked += _judge(guard, address.value, f"{path}/value")
    if findings:
        raise refuse([*findings, *(finding for error in blocked for finding in error.findings)])
    if blocked:
        raise blocked[0]


def _judge(guard: EgressGuard, url: str, path: str) -> list[InvalidInput]:
    try:
        guard.check_url(url)
    except InvalidInput as error:
        finding = Finding(rule="RELAY-URL", severity="error", message=error.detail, path=path)
        return [InvalidInput(error.slug, error.detail, status=error.status, findings=(finding,))]
    return []


def _with_secrets(recipient: Recipient, make_secret: Callable[[], str]) -> Parsed:
    bare = tuple(slot for slot, a in enumerate(recipient.addresses) if a.kind is Kind.WEBHOOK and a.secret is None)
    if not bare:
        return Parsed(recipient=recipient)
    addresses = tuple(
        address.model_copy(update={"secret": make_secret()}) if slot in bare else address
        for slot, address in enumerate(recipient.addresses)
    )
    return Parsed(recipient=recipient.model_copy(update={"addresses": addresses}), new_secrets=bare)
