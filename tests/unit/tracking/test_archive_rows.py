"""Rows of an archived segment: as the API shows them."""

import numpy as np

from relay.adapter import Class
from relay.fanout.outcome_log import Entry
from relay.fanout.segment import SEGMENT
from relay.store.cursor import Cursor
from relay.store.legs import leg_of
from relay.tracking.archive_file import NamedSegment, Piece
from relay.tracking.archive_rows import rows
from relay.tracking.states import Record, State


def test_each_delivery_has_its_own_row() -> None:
    """Rank, name, state and provider id are those of the delivery; what ended alike is told alike."""
    cursor = Cursor(klass=Class.P1, expires=9e12, start=1e12, sizes=(SEGMENT, 3))
    leg = leg_of("abcdefghijklm", {"alert": "a", "kind": "sms"}, cursor)
    names = ("a", "b", "c")
    segment = NamedSegment(np.arange(3, dtype=np.uint32), np.zeros(3, np.uint8), np.zeros(3, np.uint16), 1, names)
    first, second = Record(state=State.DELIVERED, channel=1, ended=3), Record(state=State.FAILED, channel=1, ended=4)
    log = Entry(position=1, state=State.FAILED, send=1, channel=1, reason=0, at=3, text="smsc-7").pack()
    piece = Piece(segment, first.pack() + second.pack() + first.pack(), log)
    found = list(rows(leg, piece, {1: "sms-primary"}))

    assert [row["id"] for row in found] == [f"abcdefghijklm-{rank}" for rank in (4000, 4001, 4002)]
    assert [(row["recipient"], row["state"]) for row in found] == [
        ("a", "delivered"),
        ("b", "failed"),
        ("c", "delivered"),
    ]
    assert [row["provider_id"] for row in found] == [None, "smsc-7", None]
    assert {row["channel"] for row in found} == {"sms-primary"}
