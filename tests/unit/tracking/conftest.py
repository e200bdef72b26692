"""Alerts and legs as the store gives them, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from relay.adapter import Class
from relay.store.alerts import StoredAlert
from relay.store.cursor import Cursor
from relay.store.legs import Leg
from relay.testing.clocks import START
from relay.tracking.states import State

MS = START.timestamp() * 1000

MakeLeg = Callable[..., Leg]
MakeStored = Callable[..., StoredAlert]


@pytest.fixture
def make_leg() -> MakeLeg:
    """Make a leg of three SMS; say only what is different."""

    def make(
        leg_id: str = "aaaaaaaaaaaaa",
        *,
        sizes: tuple[int, ...] = (3,),
        counts: Mapping[State, int] | None = None,
        flags: int = 0,
        **facts: str,
    ) -> Leg:
        cursor = Cursor(klass=Class.P1, flags=flags, expires=MS + 3_600_000, start=MS, sizes=sizes)
        return Leg(leg_id, {"kind": "sms", "alert": "x", **facts}, cursor, counts or {State.QUEUED: sum(sizes)})

    return make


@pytest.fixture
def make_stored() -> MakeStored:
    """Make a stored alert; say only what is different."""

    def make(**facts: Any) -> StoredAlert:
        given = {
            "id": "alert1",
            "state": "active",
            "class": "P1",
            "identifier": "a-1",
            "sender": "duty@meteo.example",
            "sent": "2026-03-01T11:00:00+05:00",
            "status": "Actual",
            "msgType": "Alert",
            "event": "Flood",
            "agency": "meteo",
            "mode": "live",
            "received": str(int(MS)),
            "expires": str(int(MS) + 3_600_000),
            "k0": "d0",
            "k1": "d1",
            "k2": "d2",
        }
        return StoredAlert({**given, **{name: str(value) for name, value in facts.items()}})

    return make
