"""How an accepted alert is named, and what Redis is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from relay.adapter import Class
from relay.cap.limits import Limits
from relay.cap.model import Reference
from relay.cap.references import reference_key
from relay.errors import Finding
from relay.intake.records import AcceptRecord
from relay.intake.stored import finding_json, identities, moded, new_alert, reparse
from relay.testing.clocks import START
from tests.unit.intake.conftest import MakeAlert, time

REFERENCE = Reference("duty@meteo.example", "a-0", time(START))
OVER = START + timedelta(hours=2)
JUST_OVER = START + timedelta(hours=1, minutes=1)

RECORD = AcceptRecord(
    alert_id="abc",
    received_at=START,
    key_id="k",
    agency="meteo",
    content_type="text/xml",
    k0="k0",
    k1="k1",
    k2="k2",
    klass=Class.P1,
    expires=START + timedelta(hours=1),
    raw=b"<alert/>",
)


def test_redis_is_told_what_was_decided(make_alert: MakeAlert) -> None:
    """Keys, class, state and end are those of the journal, the facts those of the alert."""
    new = new_alert(RECORD, 7, make_alert(references=(REFERENCE,)), node="node", now=START, again=False)

    assert (new.alert_id, new.k0, new.k1, new.k2, new.node, new.number) == ("abc", "k0", "k1", "k2", "node", 7)
    assert (new.state, new.klass, new.msg_type, new.raw) == ("accepted", Class.P1, "Alert", b"<alert/>")
    assert new.expires_ms - new.received_ms == 3_600_000
    assert new.referenced == [reference_key(REFERENCE)]
    assert new.fields["event"] == "Flood"
    assert new.fields["areas"] == "Somewhere"
    assert "again" not in new.fields


def test_empty_facts_are_left_out(make_alert: MakeAlert) -> None:
    """A Cancel without an info has no headline, and its note stands in."""
    new = new_alert(RECORD, 1, make_alert(info=(), note="All clear"), node="node", now=START, again=False)

    assert new.fields["headline"] == "All clear"
    assert "event" not in new.fields


@pytest.mark.parametrize(
    ("again", "msg_type", "state", "now", "expected"),
    [
        (True, "Alert", "accepted", OVER, "expired"),
        (True, "Alert", "accepted", JUST_OVER, "accepted"),
        (True, "Alert", "accepted", START, "accepted"),
        (True, "Alert", "accepted", None, "accepted"),
        (True, "Alert", "held", OVER, "held"),
        (False, "Alert", "accepted", OVER, "accepted"),
        (True, "Cancel", "accepted", OVER, "accepted"),
        (True, "Update", "accepted", OVER, "accepted"),
    ],
)
def test_state_after_a_loss(
    make_alert: MakeAlert, again: bool, msg_type: str, state: str, now: datetime | None, expected: str
) -> None:
    """What is over is not sent again; but a Cancel that is over still keeps down what it had cancelled."""
    new = new_alert(
        replace(RECORD, state=state),
        1,
        make_alert(msg_type=msg_type),
        node="n",
        now=now,
        again=again,
    )

    assert new.state == expected
    assert new.fields.get("again", "") == ("1" if again else "")


def test_names_of_a_test_key_never_meet_live_ones(make_alert: MakeAlert) -> None:
    """All four differ, and the id has the same form."""
    live, test = (identities(make_alert(), b"body", test=mode) for mode in (False, True))

    assert len(test.alert_id) == len(live.alert_id) == 26
    assert all(getattr(live, name) != getattr(test, name) for name in ("alert_id", "k0", "k1", "k2"))
    assert (moded("x", test=False), moded("x", test=True)) == ("x", "t.x")


def test_references_of_a_test_key_are_its_own(make_alert: MakeAlert) -> None:
    """A rehearsed Cancel cannot reach the real alert."""
    record = replace(RECORD, test_mode=True)
    new = new_alert(record, 1, make_alert(references=(REFERENCE,)), node="n", now=START, again=False)

    assert new.referenced == [f"t.{reference_key(REFERENCE)}"]
    assert new.fields["mode"] == "test"


def test_accepted_bytes_are_read_again() -> None:
    """In the form in which they came."""
    json = b"""{"identifier": "j", "sender": "duty@meteo.example", "sent": "2026-03-01T12:00:00+06:00",
        "status": "Actual", "msgType": "Alert", "scope": "Public", "info": [{"category": ["Met"],
        "event": "Flood", "urgency": "Expected", "severity": "Severe", "certainty": "Likely",
        "area": [{"areaDesc": "Here", "circle": ["43,77 9"]}]}]}"""

    assert reparse(json, media="json", charset="", limits=Limits()).identifier == "j"


def test_finding_has_the_shape_that_clients_know() -> None:
    """Rule, severity, words, place."""
    found = finding_json(Finding(rule="CAP-031", severity="fixed", message="repaired", path="/alert", line=3))

    assert {"rule": "CAP-031", "severity": "fixed", "message": "repaired", "path": "/alert", "line": 3}.items() <= (
        found.items()
    )
