"""Rows of an archived segment: as the API shows them, and whole."""

import numpy as np

from relay.adapter import Class
from relay.fanout.outcome_log import Entry
from relay.fanout.segment import SEGMENT, Segment
from relay.store.cursor import Cursor
from relay.store.legs import leg_of
from relay.tracking.archive_rows import rows
from relay.tracking.states import Record, State


def test_row_has_what_makes_it_whole() -> None:
    """Provider id, rank and the very bytes of the record are in the row, for each delivery its own."""
    cursor = Cursor(klass=Class.P1, expires=9e12, start=1e12, sizes=(SEGMENT, 2))
    leg = leg_of("abcdefghijklm", {"alert": "a", "kind": "sms"}, cursor)
    segment = Segment(np.array([4, 9], np.uint32), np.zeros(2, np.uint8), np.array([0, 1], np.uint16), 1)
    first, second = Record(state=State.DELIVERED, channel=1, ended=3), Record(state=State.FAILED, channel=1, ended=4)
    log = Entry(position=1, state=State.FAILED, send=1, channel=1, reason=0, at=3, text="smsc-7").pack()
    found = list(
        rows(leg, segment, first.pack() + second.pack(), log=log, names=["a", "b"], channels={1: "sms-primary"})
    )

    assert [row["id"] for row in found] == ["abcdefghijklm-4000", "abcdefghijklm-4001"]
    assert [(row["ordinal"], row["variant"], row["recipient"]) for row in found] == [(4, 0, "a"), (9, 1, "b")]
    assert [row["provider_id"] for row in found] == [None, "smsc-7"]
    assert bytes.fromhex(found[1]["record"]) == second.pack()
