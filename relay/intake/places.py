"""Places: which slot of Redis a journalled record is for; a pure decision."""

from __future__ import annotations

from collections.abc import Callable

from relay.fanout.ids import DeliveryRef
from relay.intake.records import AcceptRecord, AckRecord, ControlRecord, DirectoryRecord, KeyRecord, Record
from relay.store.memories import DIRECTORY, SWITCHES

#: A record whose alert may be anywhere.
ANYWHERE = -3


def single(_record: Record) -> int:
    """Return the place of everything where there is one partition: the first, with which all else is lost and found."""
    return 0


def places_of(partitions: int) -> Callable[[Record], int]:
    """Return what tells the place of a record in a deployment of so many partitions."""
    if partitions == 1:
        return single

    def place_of(record: Record) -> int:
        match record:
            case AcceptRecord():
                return record.partition % partitions
            case AckRecord():
                ref = DeliveryRef.parse(record.delivery_id)
                return ref.partition % partitions if ref is not None else ANYWHERE
            case ControlRecord() | KeyRecord():
                return SWITCHES
            case DirectoryRecord():
                return DIRECTORY
            case _:
                return ANYWHERE

    return place_of
