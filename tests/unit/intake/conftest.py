"""Alerts and keys for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from relay.cap.model import Alert, Area, Circle, Info, Pair, Polygon, Time
from relay.intake.authority import Key, Role
from relay.testing.clocks import START

MakeAlert = Callable[..., Alert]
MakeKey = Callable[..., Key]


def time(instant: datetime) -> Time:
    """A CAP time."""
    return Time(instant.isoformat(timespec="seconds"), instant)


def polygon(text: str) -> Polygon:
    """A polygon as CAP writes it."""
    pairs = [pair.split(",") for pair in text.split()]
    return Polygon(tuple((float(lat), float(lon)) for lat, lon in pairs), text)


def circle(text: str) -> Circle:
    """A circle as CAP writes it."""
    point, radius = text.split()
    lat, lon = point.split(",")
    return Circle(float(lat), float(lon), float(radius), text)


def area(*, polygons: tuple[str, ...] = (), circles: tuple[str, ...] = (), geocodes: tuple[str, ...] = ()) -> Area:
    """An area of polygons, circles and geocodes."""
    return Area(
        area_desc="Somewhere",
        polygons=tuple(map(polygon, polygons)),
        circles=tuple(map(circle, circles)),
        geocodes=tuple(Pair("ISO3166-2", value) for value in geocodes),
    )


@pytest.fixture
def make_alert() -> MakeAlert:
    """Make an alert for Almaty, sent a minute before the tests' clock; say only what is different."""

    def make(*, areas: tuple[Area, ...] | None = None, sent: datetime | None = None, **values: Any) -> Alert:
        given: dict[str, Any] = {
            "identifier": "a-1",
            "sender": "duty@meteo.example",
            "sent": time(sent or START - timedelta(minutes=1)),
            "status": "Actual",
            "msg_type": "Alert",
            "scope": "Public",
            "info": (
                Info(
                    category=("Met",),
                    event="Flood",
                    urgency="Expected",
                    severity="Severe",
                    certainty="Likely",
                    area=(area(circles=("43.24,76.9 10",)),) if areas is None else areas,
                ),
            ),
        }
        return Alert(**(given | values))

    return make


@pytest.fixture
def make_key() -> MakeKey:
    """Make a key of an agency without limits; say only what is different."""

    def make(**values: Any) -> Key:
        given: dict[str, Any] = {
            "key_id": "aaaaaaaa",
            "name": "meteo",
            "role": Role.AGENCY,
            "senders": ("*@meteo.example",),
            "created": START,
            "updated": START,
        }
        return Key(**(given | values))

    return make
