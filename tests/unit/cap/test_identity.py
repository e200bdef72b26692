from __future__ import annotations

import re
import unicodedata

import pytest

from relay.cap.identity import alert_id, k0, k1, k2
from tests.unit.cap.samples import ALERT, AREA, INFO, read, with_

RUSSIAN = with_("Earthquake", "Сейсмический толчок: Йеллоу").replace("<language>en", "<language>ru")
SIGNATURE = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo a="1"/></Signature>'
EXTRA = '<x:e xmlns:x="urn:x" b="2" a="1"><x:f/></x:e>'
EXTRA_AGAIN = '<y:e a="1" xmlns:y="urn:x" b="2">\n <y:f></y:f>\n</y:e>'


def test_ids_are_short_lower_case_text() -> None:
    """Ids go into URLs and keys: 26 characters of base32."""
    alert = read(ALERT).alert

    assert re.fullmatch(r"[a-z2-7]{26}", alert_id(alert))
    assert re.fullmatch(r"[a-z2-7]{26}", k1(alert))
    assert re.fullmatch(r"[0-9a-f]{64}", k2(alert))
    assert k0(b"x") != k0(b"y")


@pytest.mark.parametrize(
    "other",
    [
        ALERT.replace("\n", "\n\n  "),
        ALERT.replace("<", "<c:").replace("<c:/", "</c:").replace("<c:?", "<?").replace("xmlns=", "xmlns:c="),
        with_("2026-03-01T04:05:40+05:00", "2026-02-28T23:05:40Z"),
        with_("</alert>", SIGNATURE + "</alert>"),
        with_("<alert", "<?xml-stylesheet href='x'?><alert"),
        with_("quake-1", " quake-1 "),
        with_("Earthquake", "Earth&#113;uake"),
        with_("<status>Actual</status>", "", document=with_("</scope>", "</scope><status>Actual</status>")),
        with_("43.05,76.65 43.05", "43.05,76.65\n     43.05"),
    ],
    ids=["spaces", "prefix", "zone", "signature", "instruction", "padding", "entity", "order", "polygon-spaces"],
)
def test_same_alert_written_in_another_way(other: str) -> None:
    """BI-161, D2, D3: the same content in other bytes has the same K1, K2 and id, and another K0."""
    one, two = read(ALERT).alert, read(other).alert

    assert (k1(two), k2(two), alert_id(two)) == (k1(one), k2(one), alert_id(one))
    assert k0(other.encode()) != k0(ALERT.encode())


def test_normal_form_does_not_matter() -> None:
    """BI-161: composed and decomposed letters are the same text."""
    decomposed = unicodedata.normalize("NFD", RUSSIAN)
    one, two = read(RUSSIAN).alert, read(decomposed).alert

    assert decomposed != RUSSIAN
    assert (k2(two), alert_id(two)) == (k2(one), alert_id(one))


def test_extensions_count_signatures_do_not() -> None:
    """K2 covers extensions, in any prefix and attribute order; a signature says nothing new."""
    plain, extended, again = (read(with_("</alert>", extra + "</alert>")).alert for extra in ("", EXTRA, EXTRA_AGAIN))

    assert k2(extended) == k2(again) != k2(plain)
    assert alert_id(extended) == alert_id(plain)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<event>Earthquake", "<event>Mudflow"),
        ("43.45,76.65", "43.46,76.65"),
        ("<areaDesc>Almaty", "<areaDesc>Talgar"),
        (
            "<scope>Public</scope>",
            "<scope>Public</scope><references>a@b.example,x,2026-01-01T00:00:00+00:00</references>",
        ),
        ("quake-1", "quake-2"),
        ("duty@", "chief@"),
        ("T04:05:40", "T04:05:41"),
    ],
)
def test_other_core_is_another_alert(old: str, new: str) -> None:
    """D5: another event, area, reference or triple makes another id."""
    one, two = read(ALERT).alert, read(with_(old, new)).alert

    assert alert_id(two) != alert_id(one)
    assert k2(two) != k2(one)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Extreme", "Severe"),
        ("T10:05", "T11:05"),
        ("<expires>", "<effective>2026-03-01T04:10:00+05:00</effective><expires>"),
    ],
)
def test_other_content_of_the_same_core(old: str, new: str) -> None:
    """D2: the same triple and core with other content keeps the id and changes K2: that is the conflict."""
    one, two = read(ALERT).alert, read(with_(old, new)).alert

    assert (alert_id(two), k1(two)) == (alert_id(one), k1(one))
    assert k2(two) != k2(one)


def test_order_of_areas_does_not_make_another_alert() -> None:
    """The core is a set: areas and infos in another order are the same alert."""
    other_area = AREA.replace("Almaty", "Talgar")
    one = read(with_(AREA, AREA + other_area)).alert
    two = read(with_(AREA, other_area + AREA)).alert

    assert alert_id(one) == alert_id(two)
    assert alert_id(read(ALERT.replace("</alert>", INFO + "</alert>")).alert) == alert_id(read(ALERT).alert)


def test_joining_is_unambiguous() -> None:
    """Moving a letter from the sender to the identifier makes another message."""
    one = read(with_("duty@seismo.example", "ab").replace("quake-1", "c")).alert
    two = read(with_("duty@seismo.example", "a").replace("quake-1", "bc")).alert

    assert len({k1(one), k1(two)}) == 2
    assert len({alert_id(one), alert_id(two)}) == 2
