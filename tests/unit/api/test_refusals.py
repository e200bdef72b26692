"""Records of refused posts."""

from __future__ import annotations

import pytest

from relay.api.problems import Problem
from relay.api.refusals import likely_class, refusal, safe
from relay.errors import Finding
from relay.intake.authority import Key, Role
from relay.testing.clocks import START, FakeClock

KEY = Key(key_id="aaaaaaaa", name="meteo", role=Role.AGENCY, created=START, updated=START)
URGENT = (
    b"<alert><status>Actual</status><info><event>Dam break</event><urgency>Immediate</urgency>"
    b"<severity>Extreme</severity><certainty>Observed</certainty>"
)


@pytest.mark.parametrize(
    ("body", "klass"),
    [
        (URGENT, "P0"),
        (b"<cap:alert><cap:status>Exercise</cap:status><cap:severity>Extreme</cap:severity>", "PX"),
        (b'{"status": "Actual", "info": [{"severity": "Minor"}]}', "P4"),
        (b'{"status":"Actual","urgency":"Expected","severity":"Severe","certainty":"Likely"}', "P1"),
        (b"a=b", None),
        (b"\xff\xfe\x00<alert>", None),
    ],
)
def test_the_class_it_would_have_had(body: bytes, klass: str | None) -> None:
    """Even a document that cannot be read tells how urgent it was meant."""
    assert likely_class(body, clock=FakeClock(), flash_events=("Dam break",)) == klass


def test_the_record_has_no_body() -> None:
    """A record names agency, rules and class, and nothing of the text."""
    findings = (
        Finding(rule="CAP-031", severity="error", message="secret text"),
        Finding(rule="CAP-016", severity="fixed", message="z"),
    )
    problem = Problem(slug="bad-polygon", status=422, findings=findings)
    record = refusal(problem, URGENT + b"secret text", key=KEY, clock=FakeClock(), flash_events=())

    assert record["at"] == START.timestamp()
    assert (record["agency"], record["status"], record["problem"]) == ("meteo", 422, "bad-polygon")
    assert record["rules"] == ["CAP-031"]
    assert record["priority"] == "P0"
    assert "secret" not in str(record)
    assert set(safe(record)) == {"agency", "problem", "status", "priority"}
