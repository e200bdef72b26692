"""Legs as values; what Redis does with them is in the contract of the scripts."""

from relay.adapter import Class
from relay.store.cursor import Cursor
from relay.store.legs import Leg, state_array
from relay.tracking.states import Record, State

CURSOR = Cursor(klass=Class.P1, expires=1, start=0, sizes=(3,))


def test_states_of_records() -> None:
    """The first byte of each 24 is the state."""
    records = [Record(state=s, send=9) for s in (State.DELIVERED, State.QUEUED, State.FAILED)]

    assert state_array(b"".join(r.pack() for r in records)).tolist() == [16, 0, 15]


def test_closed_leg() -> None:
    """A leg says how what waits is read, once it is closed."""
    assert Leg("leg", {"rest": "10"}, CURSOR, {}).closed is State.CANCELLED
    assert Leg("leg", {}, CURSOR, {}).closed is None


def test_lane_is_the_kind() -> None:
    """A leg is claimed in the lane of its kind."""
    assert Leg("leg", {"kind": "email"}, CURSOR, {}).lane == "email"
