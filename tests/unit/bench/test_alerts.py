"""The bench's alerts are what it calls them: valid CAP of the class that it needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bench.alerts import P0, P1, P2, P3, P4, PX, Grade, cap
from bench.people import CITY
from relay.adapter import Class
from relay.cap.limits import Limits
from relay.cap.parse import parse_xml
from relay.cap.priority import alert_class

NOW = datetime(2025, 3, 1, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("grade", "klass"),
    [(P0, Class.P0), (P1, Class.P1), (P2, Class.P2), (P3, Class.P3), (P4, Class.P4), (PX, Class.PX)],
    ids=lambda v: str(v)[:2],
)
def test_alerts_have_the_class_they_are_named_for(grade: Grade, klass: Class) -> None:
    """The relay's own table judges them."""
    alert = parse_xml(cap("a-1", grade, CITY.polygon, now=NOW), charset=None, limits=Limits(), strict=True).alert

    assert alert_class(alert, flash_events=()) is klass


def test_alerts_are_good_for_six_hours_and_say_who_they_are() -> None:
    """A long run does not expire under the bench, and every alert is another message."""
    alert = parse_xml(cap("a-1", P3, CITY.polygon, now=NOW), charset=None, limits=Limits(), strict=True).alert
    expires = alert.info[0].expires

    assert alert.identifier == "a-1"
    assert alert.sent.instant == NOW
    assert expires is not None
    assert expires.instant == NOW + timedelta(hours=6)


def test_an_alert_is_as_large_as_asked() -> None:
    """E7 posts 4 KB: to the byte, and still CAP that the relay reads."""
    raw = cap("a-1", P3, CITY.polygon, now=NOW, size=4096)

    assert len(raw) == 4096
    assert parse_xml(raw, charset=None, limits=Limits(), strict=True).alert.identifier == "a-1"
    assert len(cap("a-1", P3, CITY.polygon, now=NOW, size=10)) == len(cap("a-1", P3, CITY.polygon, now=NOW))


def test_a_brief_alert_says_less() -> None:
    """Its text message is one part."""
    assert b"<instruction>Stay indoors.</instruction>" in cap("a-1", P3, CITY.polygon, now=NOW, brief=True)
