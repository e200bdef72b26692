"""Ids of legs and deliveries: deterministic, so that applying anything twice is harmless (design §5)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from relay.adapter import Kind

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
LEG_ID_LENGTH = 13


def partition_of(sender: str, partitions: int) -> int:
    """Return the partition of all alerts of ``sender``: chain, keys and plan job share one Redis slot."""
    if partitions == 1:
        return 0
    return int.from_bytes(hashlib.sha256(sender.encode()).digest()[:4], "big") % partitions


def leg_id(alert_id: str, *, kind: Kind, round_number: int, partition: int = 0) -> str:
    """Return 13 characters of lower-case base32; the first one names the partition (at most 32)."""
    digest = hashlib.sha256(f"{alert_id}\0{kind}\0{round_number}".encode()).digest()
    return _ALPHABET[partition] + base64.b32encode(digest).decode().lower()[: LEG_ID_LENGTH - 1]


def partition_of_leg(leg_id: str) -> int:
    """Return the partition that a leg's id names; those of its deliveries begin with it."""
    return _ALPHABET.index(leg_id[0])


@dataclass(frozen=True, slots=True)
class DeliveryRef:
    """A leg and the rank of a delivery in it."""

    leg_id: str
    rank: int

    def __str__(self) -> str:
        """Return the delivery id: ``<leg>-<rank>``, safe in a URL, a header and a ``webhook-id``."""
        return f"{self.leg_id}-{self.rank}"

    @property
    def partition(self) -> int:
        """The partition that holds the leg."""
        return partition_of_leg(self.leg_id)

    @classmethod
    def parse(cls, text: str) -> DeliveryRef | None:
        """Read a delivery id; None for anything that cannot be one."""
        leg, _, rank = text.partition("-")
        if len(leg) != LEG_ID_LENGTH or not set(leg) <= set(_ALPHABET):
            return None
        if not (rank.isascii() and rank.isdecimal()) or len(rank) > 10 or (len(rank) > 1 and rank[0] == "0"):
            return None
        return cls(leg, int(rank))
