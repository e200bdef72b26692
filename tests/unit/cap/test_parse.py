"""The whole way of an alert: bytes in, an alert with findings or a refusal with all of them out."""

from __future__ import annotations

import pytest

from relay.cap.parse import Limits, parse_xml
from tests.unit.cap.samples import (
    ALERT,
    AREA,
    EXAMPLES,
    INFO,
    POLYGON,
    json_alert,
    read,
    read_j,
    refused,
    refused_j,
    rules,
    with_,
)


def test_good_alert_has_no_findings() -> None:
    """A plain CAP 1.2 alert is accepted without a word, in both modes."""
    assert read(ALERT).findings == ()
    assert read(ALERT, strict=True).findings == ()


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.xml")))
def test_sample_alerts_are_faultless(name: str) -> None:
    """The project's own samples are accepted in strict mode without findings."""
    assert read((EXAMPLES / name).read_bytes(), strict=True).findings == ()


def test_json_sample_is_faultless() -> None:
    """The JSON sample is accepted in strict mode without findings."""
    assert read_j((EXAMPLES / "flood.json").read_bytes(), strict=True).findings == ()


def test_all_findings_at_once() -> None:
    """An agency learns everything in one answer, with rule, path and line."""
    document = with_("<status>Actual</status>", "").replace("Extreme", "Huge").replace("2026-03-01T10", "2026-03-01 10")

    error = refused(document)

    assert [(f.rule, f.path, f.line) for f in error.findings if f.severity == "error"] == [
        ("CAP-005", "/alert", 2),
        ("CAP-016", "/alert/info[1]/severity[1]", 14),
        ("CAP-004", "/alert/info[1]/expires[1]", 16),
    ]
    assert (error.slug, error.status) == ("validation-failed", 422)
    assert all(finding.message and finding.message_ru for finding in error.findings)


def test_json_findings_have_pointers() -> None:
    """In JSON a path is a JSON Pointer."""
    alert = json_alert()
    alert["info"][0]["area"][0]["polygon"] = ["1,1 2,2"]

    error = refused_j(alert)

    assert [(f.rule, f.path) for f in error.findings] == [("CAP-030", "/info/0/area/0/polygon/0")]
    assert error.slug == "bad-polygon"


def test_swapped_coordinates_name_the_place() -> None:
    """CAP-031: the refusal says in both languages which number comes first, and where it stands."""
    error = refused(with_(POLYGON, "135.1,48.4 135.2,48.4 135.2,48.6 135.1,48.4"))

    finding = error.findings[0]
    assert (finding.rule, finding.path, finding.line) == ("CAP-031", "/alert/info[1]/area[1]/polygon[1]", 19)
    assert "“48.4,135.1”" in finding.message
    assert finding.message_ru.startswith("Первое число — широта")


def test_shapes_know_their_place() -> None:
    """Who checks the shapes against a jurisdiction can say where each was written."""
    parsed = read(
        with_(f"<polygon>{POLYGON}</polygon>", f"<polygon/><polygon>{POLYGON}</polygon><circle>43,76 5</circle>")
    )

    assert [(place.path, place.line) for place in parsed.shapes] == [
        ("/alert/info[1]/area[1]/polygon[2]", 19),
        ("/alert/info[1]/area[1]/circle[1]", 19),
    ]
    assert parsed.shapes[0].shape is parsed.alert.info[0].area[0].polygons[0]


@pytest.mark.parametrize("name", ["identifier", "sender", "sent", "status", "msgType", "scope"])
def test_mandatory_elements(name: str) -> None:
    """BI-135: each mandatory element that is missing is named."""
    start, end = ALERT.index(f"<{name}>"), ALERT.index(f"</{name}>") + len(name) + 3

    error = refused(ALERT[:start] + ALERT[end:])

    assert any(f"<{name}> is missing" in finding.message for finding in error.findings)


@pytest.mark.parametrize(
    ("good", "bad", "rule"),
    [
        ("Actual", "ACTUAL", "CAP-005"),
        ("<msgType>Alert", "<msgType>alert", "CAP-006"),
        ("Public", "public", "CAP-008"),
        ("Geo", "Geophysical", "CAP-015"),
        ("Immediate", "immediate", "CAP-016"),
        ("Extreme", "extreme", "CAP-016"),
        ("Observed", "", "CAP-016"),
        ("<urgency>", "<responseType>Run</responseType><urgency>", "CAP-015"),
    ],
)
def test_misspelt_enumerations(good: str, bad: str, rule: str) -> None:
    """BI-136: a misspelt, wrongly cased or empty value is refused by the rule of its element."""
    error = refused(with_(good, bad))

    assert (rule, "error") in rules(error.findings)


@pytest.mark.parametrize("bad", ["a b", "a,b", "a&lt;b", "a&amp;b", "a\nb", "x" * 10_240, "", "..."])
def test_bad_identifiers(bad: str) -> None:
    """BI-137: an identifier that would break references is refused."""
    assert ("CAP-001", "error") in rules(refused(with_("quake-1", bad)).findings)


def test_padding_is_removed() -> None:
    """CAP-001: spaces around a value are removed and recorded; strict mode refuses them."""
    document = with_("quake-1", "  quake-1 ").replace("Actual", " Actual\n")

    parsed = read(document)

    assert (parsed.alert.identifier, parsed.alert.status) == ("quake-1", "Actual")
    assert [f.severity for f in parsed.findings] == ["fixed", "fixed"]
    refused(document, strict=True)


def test_repairs_are_recorded_and_strict_refuses() -> None:
    """CAP-004, 030, 040: lenient mode repairs a Z time, an open ring and the order; strict mode refuses the same."""
    document = with_("10:05:00+05:00", "05:05:00Z").replace(POLYGON, POLYGON.rsplit(" ", 1)[0])
    document = with_("<event>Earthquake</event>", "", document=document).replace(
        "<expires>", "<event>Quake</event><expires>"
    )

    lenient, strict = read(document), refused(document, strict=True)

    assert rules(lenient.findings) == [("CAP-040", "fixed"), ("CAP-004", "fixed"), ("CAP-030", "fixed")]
    assert rules(strict.findings) == [("CAP-040", "error"), ("CAP-004", "error"), ("CAP-030", "error")]


@pytest.mark.parametrize("value", ["javascript:alert(1)", "meteo.example"])
def test_odd_web_address_is_a_warning(value: str) -> None:
    """BI-154, cap-rules 20: a web address that is none is shown as text, with a warning."""
    assert rules(read(with_("<area>", f"<web>{value}</web><area>")).findings) == [("CAP-020", "warning")]


@pytest.mark.parametrize("radius", ["-1", "25000", "inf", ""])
def test_bad_radius(radius: str) -> None:
    """BI-174: an impossible radius is refused."""
    error = refused(with_("</area>", f"<circle>43,76 {radius}</circle></area>"))

    assert error.slug == "bad-circle"


def test_one_bad_polygon_refuses_the_alert() -> None:
    """BI-179: a valid polygon does not save a broken one: there is no partial area."""
    error = refused(with_("</polygon>", "</polygon><polygon>43,76 44</polygon>"))

    assert error.findings[0].path == "/alert/info[1]/area[1]/polygon[2]"


@pytest.mark.parametrize("polygon", ["43,76 44,77 43,77 44,76 43,76", "43,76 43.5,76.5 44,77 43,76"])
def test_crossed_and_flat_rings_are_warnings(polygon: str) -> None:
    """BI-165, BI-167: a bow-tie and a ring without area are accepted with a warning, and refused in strict mode."""
    document = with_(POLYGON, polygon)

    assert [f.severity for f in read(document).findings] == ["warning"]
    assert refused(document, strict=True).slug == "bad-polygon"


def test_empty_polygon_makes_an_area_without_geometry() -> None:
    """BI-164: an empty polygon is absent; the area then has nothing to compare a place with, which is said."""
    parsed = read(with_(POLYGON, ""))

    assert rules(parsed.findings) == [("CAP-023", "warning"), ("CAP-039", "warning")]
    assert not parsed.alert.info[0].area[0].has_geometry


def test_geocode_without_a_value_matches_nobody() -> None:
    """CAP-036: a code without a value is left out, so that the area does not look usable."""
    empty = "<geocode><valueName>ISO3166-2</valueName><value/></geocode>"
    parsed = read(with_(f"<polygon>{POLYGON}</polygon>", empty))

    assert parsed.alert.info[0].area[0].geocodes == ()
    assert ("CAP-039", "warning") in rules(parsed.findings)


def test_metacharacters_in_a_code_are_text() -> None:
    """BI-176: a code is compared, never run."""
    code = "<geocode><valueName>'or'1'='1</valueName><value>(a+)+$</value></geocode>"

    assert read(with_("</area>", code + "</area>")).alert.info[0].area[0].geocodes[0].value == "(a+)+$"


def test_limits_are_the_callers() -> None:
    """BI-170: polygons and points are bounded by what the caller allows."""
    two = with_(AREA, AREA.replace("</area>", f"<polygon>{POLYGON}</polygon></area>")).encode()

    assert parse_xml(two, charset=None, limits=Limits(max_vertices=10, max_polygons=2), strict=False).findings == ()
    for limits in (Limits(max_vertices=9), Limits(max_polygons=1)):
        with pytest.raises(Exception, match="Nothing was stored") as error:
            parse_xml(two, charset=None, limits=limits, strict=False)
        assert getattr(error.value, "slug", "") == "too-many-vertices"


def test_minimal_cancel() -> None:
    """CAP-006, CAP-024: a Cancel needs no info; without references it is a warning, in strict mode an error."""
    document = with_("<msgType>Alert", "<msgType>Cancel").replace(INFO, "")

    assert rules(read(document).findings) == [("CAP-006", "warning")]
    assert rules(refused(document, strict=True).findings) == [("CAP-006", "error")]


@pytest.mark.parametrize("bad", ["a\x1b[2J", "left \u202e right"])
def test_controls_in_json_text(bad: str) -> None:
    """BI-181, BI-184: control characters and direction overrides are refused in JSON as well."""
    assert refused_j(json_alert(note=bad)).findings[0].rule == "RELAY-CHARACTER"
