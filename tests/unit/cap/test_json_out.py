from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from relay.cap.identity import alert_id, k2
from relay.cap.json_out import to_json, write_references
from relay.cap.model import Alert
from tests.unit.cap.samples import EXAMPLES, read, read_j
from tests.unit.cap.strategies import alerts


@given(alert=alerts)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_json_loses_nothing(alert: Alert) -> None:
    """An alert written as JSON and read again is the same alert, with the same keys."""
    again = read_j(to_json(alert)).alert

    assert again == alert
    assert (k2(again), alert_id(again)) == (k2(alert), alert_id(alert))


def test_members_are_caps() -> None:
    """Names and values are CAP's; what is absent is left out."""
    members = to_json(read((EXAMPLES / "earthquake-cancel.xml").read_bytes()).alert)

    assert members["msgType"] == "Cancel"
    assert members["references"] == "duty@seismo.example,KZ-SEISMO-2026-0301-0405,2026-03-01T04:05:40+05:00"
    assert "note" not in members


def test_xml_and_json_are_one_model() -> None:
    """The same alert as XML and as JSON has the same keys, and JSON is accepted without findings."""
    alert = read((EXAMPLES / "earthquake.xml").read_bytes()).alert
    parsed = read_j(to_json(alert), strict=True)

    assert parsed.findings == ()
    assert k2(parsed.alert) == k2(alert)


def test_references_are_triplets() -> None:
    """No references are no text."""
    assert write_references(()) == ""
