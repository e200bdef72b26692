from __future__ import annotations

import json

import pytest

from tests.unit.cap.samples import json_alert, read_j, refused_j, rules


def test_single_values_are_taken() -> None:
    """A single value where CAP repeats is taken and recorded; strict mode refuses it."""
    alert = json_alert()
    alert["info"] = alert["info"][0]
    alert["info"]["category"] = "Met"

    parsed = read_j(alert)

    assert parsed.alert.info[0].category == ("Met",)
    assert rules(parsed.findings) == [("RELAY-JSON", "fixed")] * 2
    assert {f.path for f in parsed.findings} == {"/info", "/info/category"}
    refused_j(alert, strict=True)


def test_list_forms_of_references_and_addresses() -> None:
    """References and addresses may be lists of texts; a value with spaces stays one."""
    triplet = "a@b.example,one,2026-03-01T00:00:00+00:00"
    parsed = read_j(json_alert(references=[triplet], addresses=["group:rescue", "City Hospital 4"], msgType="Update"))

    assert parsed.alert.references[0].identifier == "one"
    assert parsed.alert.addresses == ("group:rescue", "City Hospital 4")
    assert rules(parsed.findings) == [("RELAY-JSON", "fixed")] * 2


def test_list_for_a_single_value() -> None:
    """One value may not be two; a list of one is that one."""
    assert read_j(json_alert(status=["Actual"])).alert.status == "Actual"
    assert refused_j(json_alert(status=["Actual", "Test"])).findings[0].rule == "RELAY-TWICE"


def test_numbers_and_null() -> None:
    """A number where CAP has text is read as it was written; null is absent, with a warning."""
    alert = json_alert()
    alert["info"][0]["area"][0]["altitude"] = 1200.50
    body = json.dumps(alert).replace("1200.5", "1200.50").replace('"scope"', '"note": null, "scope"').encode()

    parsed = read_j(body)

    assert parsed.alert.info[0].area[0].altitude == "1200.50"
    assert sorted(f.severity for f in parsed.findings) == ["fixed", "warning", "warning"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("info", ["x"]),
        ("info", [[1]]),
        ("status", {"a": "b"}),
        ("note", False),
        ("references", [True]),
        ("extensions", ["<a>"]),
        ("extensions", 5),
    ],
)
def test_wrong_types(field: str, value: object) -> None:
    """BI-099: a value of another type is refused with its pointer."""
    error = refused_j(json_alert(**{field: value}))

    assert error.status == 422
    assert error.findings[0].path.startswith(f"/{field}")


def test_unknown_members_are_named() -> None:
    """BI-100: an unknown member is refused, in both modes, and named in the pointer."""
    error = refused_j(json_alert(**{"a/b~c": 1}))

    assert (error.slug, error.findings[0].path) == ("unknown-field", "/a~1b~0c")


def test_byte_order_marks_and_utf_16() -> None:
    """BI-095: a BOM and UTF-16 are read in lenient mode."""
    body = json.dumps(json_alert())

    assert read_j(b"\xef\xbb\xbf" + body.encode()).alert == read_j(body.encode("utf-16")).alert


def test_escaped_pairs_are_letters() -> None:
    """BI-092: a whole surrogate pair is one character; half of one is refused, wherever it stands."""
    body = json.dumps(json_alert(note="🌊")).encode()

    assert read_j(body).alert.note == "🌊"
    for bad in (json_alert(note="\ud83c"), json_alert(addresses=["\ud83c"]), json_alert(code=["\udfff"])):
        assert refused_j(bad).slug == "bad-unicode"


def test_surrogate_in_a_name_can_be_told() -> None:
    """A member whose name cannot be written is refused in words that can."""
    error = refused_j(json_alert(**{"\ud800": 1}))

    assert error.findings[0].message.encode()
    assert error.findings[0].path.encode()


def test_extensions_come_in_their_normal_form() -> None:
    """Foreign elements in JSON are checked and written as in XML."""
    assert read_j(json_alert(extensions=["<x a='1'/>"])).alert.extensions == ('<x xmlns="" a="1"></x>',)
    doctype = '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    assert refused_j(json_alert(extensions=[doctype])).status == 422
