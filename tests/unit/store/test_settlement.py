"""What the script is given of a settlement, and what its answer means."""

import struct

from relay.adapter import Class
from relay.store.keys import Partition
from relay.store.settlement import Settled, Settlement, from_script, to_script
from relay.tracking.states import RECORD_BYTES, Record, State

SENT = Record(state=State.DELIVERED, send=1)


def a_settlement() -> Settlement:
    records = {7: Record(state=State.FAILED), 2: SENT, 4: SENT}
    return Settlement(leg_id="aleg", alert_id="a", lane="sms", klass=Class.P1, segment=2, size=10, records=records)


def test_all_keys_are_of_the_leg_s_partition() -> None:
    """Ten keys, each declared once, in one slot."""
    names, _ = to_script(Partition(4), a_settlement())

    assert len(set(names)) == len(names) == 10
    assert all(name.startswith("c1:{p4}:") for name in names)


def test_records_stand_by_ascending_position() -> None:
    """Equal records are packed once, and stand wherever they belong."""
    _, args = to_script(Partition(), a_settlement())
    records = bytes(args[8])  # type: ignore[arg-type]

    assert args[7] == struct.pack("<3H", 2, 4, 7)
    assert [records[i] for i in range(0, len(records), RECORD_BYTES)] == [
        State.DELIVERED,
        State.DELIVERED,
        State.FAILED,
    ]


def test_without_a_lease_there_is_no_token() -> None:
    """A receipt has no chunk: any leg that is there may take it."""
    _, args = to_script(Partition(), a_settlement())

    assert (args[1], args[2], args[11]) == ("", "", 0)


def test_answers() -> None:
    """−1 says that the leg is not here, or was planned again."""
    assert from_script([-1]) is None
    assert from_script([4, 1, 0]) == Settled(4, lost=True, done=False)
