"""The bench's people are recipients that the relay takes, and live where its alerts look for them."""

from __future__ import annotations

from itertools import pairwise

import orjson
import pytest
from shapely import Point, Polygon

from bench.people import CITY, EVERYWHERE, VALLEY, VILLAGE, Crowd, Place
from relay.directory.egress import Guard
from relay.directory.recipient import Recipient, parse

GUARD = Guard(allow=("127.0.0.1:9",), own=())


def people(crowd: Crowd) -> list[Recipient]:
    lines = b"".join(crowd.lines()).splitlines()
    return [parse(line, guard=GUARD, make_secret=lambda: "whsec_" + "A" * 43 + "=").recipient for line in lines]


def shape(polygon: str) -> Polygon:
    pairs = [pair.split(",") for pair in polygon.split()]
    return Polygon([(float(lon), float(lat)) for lat, lon in pairs])


@pytest.mark.parametrize(
    ("kind", "address"),
    [("sms", "+7701{n:07d}"), ("email", "slow{n}@bench.example"), ("webhook", "http://127.0.0.1:9/{n}")],
)
def test_everybody_can_be_imported(kind: str, address: str) -> None:
    """The relay's own check takes every line, and ids and addresses are all different."""
    found = people(Crowd(count=1203, prefix="x", kind=kind, address=address))

    assert len({r.id for r in found}) == len({r.addresses[0].value for r in found}) == 1203


@pytest.mark.parametrize("place", [CITY, VILLAGE, VALLEY])
def test_an_alert_for_a_place_means_all_of_it_and_nobody_else(place: Place) -> None:
    """The polygon of a place holds its people, that of another none of them, and EVERYWHERE all."""
    crowd = people(Crowd(count=700, prefix="x", kind="sms", address="+7701{n:07d}", place=place))
    points = [Point(r.location.lon, r.location.lat) for r in crowd if r.location is not None]
    inside = {other.name: sum(map(shape(other.polygon).contains, points)) for other in (CITY, VILLAGE, VALLEY)}

    assert inside == {other.name: 700 * (other is place) for other in (CITY, VILLAGE, VALLEY)}
    assert all(map(shape(EVERYWHERE).contains, points))


def test_one_in_a_hundred_lives_elsewhere() -> None:
    """The 1 % are known by number, and stand at irregular places of the list: else they would pack too well."""
    asked = Crowd(count=5000, prefix="x", kind="sms", address="+7701{n:07d}", every=100)
    crowd = people(asked)
    valley = shape(VALLEY.polygon)
    there = [n for n, r in enumerate(crowd) if r.location and valley.contains(Point(r.location.lon, r.location.lat))]
    gaps = {after - before for before, after in pairwise(there)}

    assert len(there) == asked.elsewhere
    assert 25 < len(there) < 100
    assert len(gaps) > len(there) / 2


def test_lines_are_whole() -> None:
    """Each part ends with a line end."""
    parts = list(Crowd(count=501, prefix="x", kind="sms", address="+7701{n:07d}").lines())

    assert [len(part.splitlines()) for part in parts] == [500, 1]
    assert orjson.loads(parts[1])["id"] == "x-500"
