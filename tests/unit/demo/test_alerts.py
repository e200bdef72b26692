"""What the fictional agency posts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from relay.adapter import Class
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.cap.parse import parse_xml
from relay.cap.priority import alert_class
from relay.demo import alerts
from relay.demo.alerts import Draft, language_of, to_xml
from relay.demo.people import by_id
from relay.settings import Priority

NOW = datetime(2026, 3, 1, 6, 0, 30, tzinfo=UTC)
QUAKE = alerts.earthquake(NOW)
DRAFTS = {
    "quake": QUAKE,
    "clear": alerts.all_clear(QUAKE, NOW + timedelta(seconds=9)),
    "drill": alerts.drill(NOW),
    "dam": alerts.dam_break(NOW),
    "wind": alerts.wind(NOW),
    "squall": alerts.squall(NOW),
}


def read(draft: Draft) -> Alert:
    """Read a draft as a strict relay would."""
    return parse_xml(to_xml(draft), charset=None, limits=Limits(), strict=True).alert


@pytest.mark.parametrize(
    ("name", "klass"),
    [
        ("quake", Class.P0),
        ("drill", Class.PX),
        ("dam", Class.P0),
        ("wind", Class.P4),
        ("squall", Class.P1),
    ],
)
def test_every_alert_is_of_its_class(name: str, klass: Class) -> None:
    """Each alert is valid CAP 1.2 and as urgent as its scene needs it."""
    assert alert_class(read(DRAFTS[name]), flash_events=Priority().flash_events) is klass


def test_nothing_to_repair() -> None:
    """What the agency posts is clean: no finding but the warning that a drill has no note."""
    rules = {
        name: [f.rule for f in parse_xml(to_xml(d), charset=None, limits=Limits(), strict=True).findings]
        for name, d in DRAFTS.items()
    }

    assert {rule for found in rules.values() for rule in found} <= {"CAP-005"}


def test_the_earthquake_speaks_three_languages() -> None:
    """The earthquake has ru, kk and en in this order, each for the same area."""
    infos = read(QUAKE).info

    assert [info.language for info in infos] == ["ru", "kk", "en"]
    assert len({info.area[0].polygons[0].text for info in infos}) == 1


def test_the_cancel_refers_to_the_earthquake() -> None:
    """The Cancel names sender, identifier and sent of the earthquake, and keeps its languages."""
    cancel, quake = read(DRAFTS["clear"]), read(QUAKE)
    reference = cancel.references[0]

    assert (cancel.msg_type, reference.sender, reference.identifier) == ("Cancel", quake.sender, quake.identifier)
    assert reference.sent.instant == quake.sent.instant
    assert [info.language for info in cancel.info] == ["ru", "kk", "en"]


def test_swapped_pairs() -> None:
    """The broken one is the earthquake with lon,lat; read as written it lies far north of anybody."""
    area = read(alerts.swapped(NOW)).info[0].area[0]

    assert all(lat > 76 for lat, _ in area.polygons[0].points)


def test_the_area_holds_the_people_of_almaty() -> None:
    """The polygon's box holds whoever counts as inside."""
    points = [tuple(map(float, pair.split(","))) for pair in alerts.ALMATY_AREA.split()]
    lats, lons = [lat for lat, _ in points], [lon for _, lon in points]
    lat, lon = by_id("talgar").place

    assert min(lats) < lat < max(lats)
    assert min(lons) < lon < max(lons)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Гидромет-демо: ЖЕР СІЛКІНІСІ, Алматы.", "kk"),
        ("Гидромет-демо: ОТБОЙ. Сообщение 18:00 отменено: Землетрясение, Алматы.", "ru"),
        ("EXERCISE. Hydromet demo: practice earthquake, Almaty.", "en"),
        ("Hello", ""),
    ],
)
def test_language_of_a_text(text: str, language: str) -> None:
    """The demo's own texts are told apart by their words."""
    assert language_of(text) == language


def test_texts_are_escaped() -> None:
    """A sign that XML needs is written as an entity."""
    words = QUAKE.words[0]
    draft = replace(QUAKE, words=(replace(words, headline="A < B & C"),))

    assert read(draft).info[0].headline == "A < B & C"
