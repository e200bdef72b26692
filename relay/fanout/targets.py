"""Where one delivery goes: an address slot of a recipient, or the reason why nowhere any more."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from relay.adapter import Kind


class Target(NamedTuple):
    """A recipient's address as it is now (a tuple, because one is made for every message)."""

    recipient: str
    name: str
    address: str
    secret: str


def target_of(row: bytes | None, denied: int, *, slot: int, kind: Kind) -> Target | str:
    """Read a stored recipient; ``denied`` is the bitmask of slots that are opted out.

    Returns a reason code instead when nobody may be told there.
    """
    if row is None:
        return "recipient_deleted"
    recipient = orjson.loads(row)
    if recipient.get("deleted"):
        return "recipient_deleted"
    if denied >> slot & 1:
        return "opted_out"
    addresses = recipient["addresses"]
    if slot >= len(addresses) or addresses[slot]["kind"] != kind:
        return "address_changed"
    address = addresses[slot]
    return Target(recipient["id"], recipient.get("name", ""), address["value"], address.get("secret") or "")
