from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from relay.cap.model import Alert
from relay.cap.xml_out import to_xml
from tests.unit.cap.samples import EXAMPLES, read
from tests.unit.cap.strategies import alerts


@given(alert=alerts)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_xml_loses_nothing(alert: Alert) -> None:
    """An alert written as XML and read again is the same alert, down to the text of its times."""
    parsed = read(to_xml(alert))

    assert parsed.alert == alert
    assert to_xml(parsed.alert) == to_xml(alert)


def test_samples_survive() -> None:
    """The samples are the same alerts after a round trip, and strictly valid."""
    for path in EXAMPLES.glob("*.xml"):
        alert = read(path.read_bytes()).alert
        assert read(to_xml(alert), strict=True).alert == alert
