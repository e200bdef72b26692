"""Targeting: who is told, and what each of them reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from relay.adapter import Kind
from relay.cap.model import Alert, Area, Circle, Info, Pair, Polygon, Time
from relay.directory import targeting
from relay.directory.index import Index
from relay.directory.recipient import Recipient
from relay.directory.targeting import Found, match

Make = Callable[..., Recipient]

SENT = Time("2026-03-01T10:00:00+06:00", datetime(2026, 3, 1, 4, tzinfo=UTC))
ALMATY = Polygon(((42, 76), (42, 78), (44, 78), (44, 76), (42, 76)), "")
NORTH = Polygon(((43, 76), (43, 78), (46, 78), (46, 76), (43, 76)), "")
HERE = Area(area_desc="here", polygons=(ALMATY,))
CODE = Area(area_desc="oblast", geocodes=(Pair("iso3166-2", "KZ-75"),))


def info(*areas: Area, **fields: Any) -> Info:
    values: dict[str, Any] = {
        "category": ("Met",),
        "event": "Wind",
        "urgency": "Expected",
        "severity": "Severe",
        "certainty": "Likely",
        "area": areas,
    }
    return Info(**{**values, **fields})


def alert(*infos: Info, **fields: Any) -> Alert:
    values: dict[str, Any] = {
        "identifier": "1",
        "sender": "duty@meteo.example",
        "sent": SENT,
        "status": "Actual",
        "msg_type": "Alert",
        "scope": "Public",
        "info": infos,
    }
    return Alert(**{**values, **fields})


def index_of(*recipients: Recipient, denied: int = 0) -> Index:
    index = Index()
    for ordinal, recipient in enumerate(recipients):
        index.upsert(ordinal, recipient, denied=denied)
    return index


def find(index: Index, one: Alert, *, drill: bool = False) -> Found:
    return match(index, one, point_radius_km=10, drill=drill)


def told(index: Index, one: Alert, *, drill: bool = False) -> dict[int, int]:
    found = find(index, one, drill=drill)
    return dict(zip(found.ordinals.tolist(), found.infos.tolist(), strict=True))


def at(lat: float, lon: float) -> dict[str, Any]:
    return {"location": {"lat": lat, "lon": lon}}


def test_place_by_polygon_circle_and_geocode(make: Make) -> None:
    """An area is the union of what it names; who is in none of it is not told."""
    area = Area(
        area_desc="", polygons=(ALMATY,), circles=(Circle(50, 70, 100, ""),), geocodes=(Pair("iso3166-2", "KZ-75"),)
    )
    code = {"scheme": "ISO3166-2", "value": "KZ-75"}
    index = index_of(
        make("in polygon"[:2]),
        make("c", **at(50.5, 70)),
        make("g", location=None, geocodes=[code]),
        make("far", **at(52, 70)),
        make("nowhere", location=None),
        make("other", location=None, geocodes=[{**code, "value": "KZ-7"}]),
        make("case", location=None, geocodes=[{**code, "value": "kz-75"}]),
    )

    assert list(told(index, alert(info(area)))) == [0, 1, 2]


@pytest.mark.parametrize("areas", [(), (Area(area_desc="the whole country"),)])
def test_info_without_usable_area_matches_nobody(make: Make, areas: tuple[Area, ...]) -> None:
    """A missing area never means everybody, not even beside an info that has one."""
    index = index_of(make("a", **at(10, 10)), make("b"))

    assert told(index, alert(info(*areas))) == {}
    assert told(index, alert(info(*areas), info(HERE))) == {1: 1}


def test_alert_without_info_and_empty_directory(make: Make) -> None:
    """Nothing to match is nobody, without an error, for every kind."""
    assert told(index_of(make()), alert()) == {}
    empty = find(Index(), alert(info(HERE), info(CODE)))
    assert [len(empty.pairs(kind).ordinals) for kind in Kind] == [0, 0, 0]


@pytest.mark.parametrize(
    ("least", "severity", "expected"),
    [
        ("Minor", "Minor", True),
        ("Moderate", "Minor", False),
        ("Moderate", "Unknown", True),
        ("Severe", "Unknown", False),
        ("Extreme", "Extreme", True),
        ("Extreme", "Severe", False),
    ],
)
def test_least_severity(make: Make, least: str, severity: str, expected: bool) -> None:
    """Everybody hears of what is at least as severe as he asked for; Unknown reads as Moderate."""
    index = index_of(make(min_severity=least))

    assert bool(told(index, alert(info(HERE, severity=severity)))) is expected


@pytest.mark.parametrize(
    ("hazards", "category", "expected"),
    [((), ("Geo",), True), (("Geo", "Fire"), ("Met", "Fire"), True), (("Geo",), ("Met",), False), (("Geo",), (), True)],
)
def test_hazards(make: Make, hazards: tuple[str, ...], category: tuple[str, ...], expected: bool) -> None:
    """No hazards means all; else one of the info's categories must be wanted."""
    index = index_of(make(hazards=list(hazards)))

    assert bool(told(index, alert(info(HERE, category=category)))) is expected


def test_drills_reach_those_who_chose_them(make: Make) -> None:
    """A drill is for those who said so; the real thing is for everybody."""
    index = index_of(make("a", drills=True), make("b"))

    assert list(told(index, alert(info(HERE)), drill=True)) == [0]
    assert list(told(index, alert(info(HERE)))) == [0, 1]


def test_deleted_recipient_is_not_told(make: Make) -> None:
    """Who was taken out is matched by nothing, by name either."""
    index = index_of(make("a", groups=["g"]), make("b"))
    index.remove(0)

    assert list(told(index, alert(info(HERE)))) == [1]
    assert told(index, alert(info(HERE), scope="Private", addresses=("a", "group:g", "+77010000099"))) == {}


def test_each_reads_the_info_of_his_own_place(make: Make) -> None:
    """With several infos, people get the one whose area they are in."""
    index = index_of(make("south", **at(42.5, 77)), make("north", **at(45, 77)), make("both", **at(43.5, 77)))
    extreme = info(Area(area_desc="", polygons=(NORTH,)), severity="Extreme")

    assert told(index, alert(info(HERE), extreme)) == {0: 0, 1: 1, 2: 1}


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        (["kk", "ru"], 1),
        (["ky", "ru"], 0),
        (["en"], 2),
        (["en-GB", "kk"], 2),
        (["tg"], 2),
        ([], 2),
        (["ru", "kk"], 0),
    ],
)
def test_language_then_severity_then_order(make: Make, languages: list[str], expected: int) -> None:
    """The reader's first language wins, then the highest severity, then document order; no language is English."""
    index = index_of(make(languages=languages))
    infos = (
        info(HERE, language="ru"),
        info(HERE, language="kk"),
        info(HERE, severity="Extreme"),
        info(HERE, language="ru"),
    )

    assert told(index, alert(*infos)) == {0: expected}


def test_same_language_twice(make: Make) -> None:
    """Of two infos in the reader's language in the same place the more severe one is read."""
    index = index_of(make(languages=["ru"]))

    assert told(index, alert(info(HERE, language="ru"), info(HERE, language="ru", severity="Extreme"))) == {0: 1}


def test_info_that_he_filters_out_is_not_chosen(make: Make) -> None:
    """Somebody who asked for severe news reads the severe info, though the mild one is in his language."""
    index = index_of(make(languages=["kk"], min_severity="Severe"))

    assert told(index, alert(info(HERE, language="kk", severity="Minor"), info(HERE, language="ru"))) == {0: 1}


def test_many_infos(make: Make) -> None:
    """The last of two hundred infos still reaches its place."""
    places = [Area(area_desc="", circles=(Circle(n * 0.4 - 40, 20, 5, ""),)) for n in range(200)]
    index = index_of(*(make(f"r{n}", **at(n * 0.4 - 40, 20)) for n in range(200)))

    assert told(index, alert(*(info(place) for place in places))) == {n: n for n in range(200)}


def test_more_combinations_than_a_table(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Very many combinations of areas and languages are decided the slower way, with the same result."""
    languages = [["kk"], ["ru"], ["ky", "ru"], []]
    index = index_of(*(make(f"r{n}", languages=languages[n % 4], **at(42.1 + n * 0.05, 77)) for n in range(60)))
    one = alert(info(HERE, language="ru"), info(Area(area_desc="", polygons=(NORTH,)), language="kk"))
    quick = told(index, one)
    monkeypatch.setattr(targeting, "_FEW", -1_000)

    assert told(index, one) == quick
    assert set(quick.values()) == {0, 1}


def test_private_reaches_those_it_names(make: Make) -> None:
    """Private alerts reach recipients named by id, address or group, wherever they are, and nobody else."""
    index = index_of(
        make("almaty-rescue-7", **at(0, 0)),
        make("b", addresses=[("email", "Duty@B.example")], location=None),
        make("c", groups=["Almaty City Hospital"]),
        make("d"),
        make("e", addresses=[("sms", "+77010000009")]),
    )
    names = ("almaty-rescue-7", "duty@b.example", "group:Almaty City Hospital", "+77010000009", "unknown", "group:none")

    assert list(told(index, alert(info(), scope="Private", addresses=names))) == [0, 1, 2, 4]
    assert list(told(index, alert(info(HERE), scope="Restricted", restriction="x", addresses=names))) == [0, 1, 2, 4]


def test_private_place_only_chooses_the_info(make: Make) -> None:
    """A named recipient in one of the areas reads that info; one who is in none reads what fits his language."""
    index = index_of(make("a"), make("b", languages=["ru"], location=None), make("c", location=None))
    infos = (info(HERE, language="kk"), info(CODE, language="ru", severity="Extreme"))

    assert told(index, alert(*infos, scope="Private", addresses=("a", "b", "c"))) == {0: 0, 1: 1, 2: 1}


def test_private_without_addresses_is_for_nobody(make: Make) -> None:
    """A private alert that names nobody does not become public."""
    assert told(index_of(make()), alert(info(HERE), scope="Private")) == {}


def test_public_alert_ignores_addresses(make: Make) -> None:
    """Addresses do not widen a public alert."""
    index = index_of(make("a", **at(0, 0)), make("b"))

    assert list(told(index, alert(info(HERE), addresses=("a",)))) == [1]


MANY = [("sms", "+77010000001"), ("email", "a@b.example"), ("sms", "+77010000002")]


def pairs(found: Found, kind: Kind, round_number: int = 0) -> list[tuple[int, int, int]]:
    slots = found.pairs(kind, round_number=round_number)
    assert [array.dtype.name for array in (slots.ordinals, slots.slots, slots.infos)] == ["uint32", "uint8", "uint16"]
    return list(zip(slots.ordinals.tolist(), slots.slots.tolist(), slots.infos.tolist(), strict=True))


def test_deliveries_by_kind(make: Make) -> None:
    """Each address is a delivery of its kind, sorted by recipient and slot, with the info its reader gets."""
    index = index_of(make("a", addresses=MANY, languages=["ru"]), make("b"), make("c", addresses=MANY, policy="first"))
    found = find(index, alert(info(HERE, language="en"), info(HERE, language="ru")))

    assert pairs(found, Kind.SMS) == [(0, 0, 1), (0, 2, 1), (1, 0, 0), (2, 0, 0), (2, 2, 0)]
    assert pairs(found, Kind.EMAIL) == [(0, 1, 1)]
    assert pairs(found, Kind.WEBHOOK) == []
    assert pairs(found, Kind.EMAIL, 1) == [(2, 1, 0)]
    assert pairs(found, Kind.SMS, 1) == []


def test_opted_out_address_is_planned_so_that_it_has_a_record(make: Make) -> None:
    """An opt-out is suppressed with its reason when its turn comes; who chose one kind gets the next one at once."""
    index = index_of(make("a", addresses=MANY), make("b", addresses=MANY, policy="first"), denied=0b101)
    found = find(index, alert(info(HERE)))

    assert pairs(found, Kind.SMS) == [(0, 0, 0), (0, 2, 0)]
    assert pairs(found, Kind.EMAIL) == [(0, 1, 0), (1, 1, 0)]


def test_same_as_one_by_one(make: Make) -> None:
    """A directory large enough for every shortcut gives what each recipient alone would get."""
    chance = np.random.default_rng(7)
    choices = [["kk", "ru"], ["ru"], ["ky"], []]
    recipients = [
        make(
            f"r{n}",
            languages=choices[chance.integers(4)],
            min_severity=["Minor", "Moderate", "Severe", "Extreme"][chance.integers(4)],
            hazards=[[], ["Met"], ["Geo"]][chance.integers(3)],
            drills=bool(chance.integers(2)),
            addresses=[MANY, MANY[:1], MANY[1:]][chance.integers(3)],
            **at(float(chance.uniform(41, 47)), float(chance.uniform(75, 79))),
        )
        for n in range(400)
    ]
    one = alert(
        info(HERE, language="ru", severity="Moderate"),
        info(HERE, language="kk", severity="Moderate"),
        info(Area(area_desc="", polygons=(NORTH,)), language="ru", severity="Extreme", category=("Geo",)),
        info(CODE),
    )
    index = index_of(*recipients)

    for drill in (False, True):
        together = told(index, one, drill=drill)
        alone = {n: told(index_of(r), one, drill=drill).get(0) for n, r in enumerate(recipients)}
        assert together == {n: chosen for n, chosen in alone.items() if chosen is not None}
        assert set(together.values()) == {0, 1, 2}


def test_languages_of_one_area_are_compared_with_it_once(make: Make) -> None:
    """Three languages of one polygon cost one comparison."""
    index = index_of(make())
    infos = [info(replace(HERE, area_desc=tag), language=tag) for tag in ("ru", "kk", "en")]

    masks = targeting._placed(index, infos, index.columns.alive, 10)

    assert len({id(mask) for mask in masks}) == 1
    assert masks[0].tolist() == [True]
