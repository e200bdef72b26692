"""``relay alerts``: what is asked of the relay, and what is shown."""

import json

import pytest

from tests.unit.commands.conftest import Run
from tests.unit.commands.stub_relay import StubRelay

ROW = {"id": "abc", "state": "active", "priority": "P0", "sent": "2026-03-01T04:05:40+05:00", "headline": "Mudflow"}


def test_list_passes_filters_on(relay: Run, stub: StubRelay) -> None:
    """Filters are the API's own."""
    stub.on("GET /v1/alerts", {"alerts": [ROW], "next": None})
    ran = relay("alerts", "list", "--state", "active", "--priority", "P0", "--since", "2026-03-01T00:00:00Z")

    assert stub.asked[0].path == "/v1/alerts?state=active&priority=P0&since=2026-03-01T00:00:00Z&limit=20"
    assert ran.out.splitlines()[1].startswith("abc  P0     active")


def test_list_says_when_there_is_more(relay: Run, stub: StubRelay) -> None:
    """Nobody takes the first rows for all."""
    stub.on("GET /v1/alerts", {"alerts": [ROW], "next": "c1"})
    ran = relay("alerts", "list", "--limit", "1")

    assert "there are more" in ran.err


def test_machines_get_one_page_unchanged(relay: Run, stub: StubRelay) -> None:
    """The cursor in the answer leads to the next page."""
    stub.on("GET /v1/alerts", {"alerts": [], "next": None})
    ran = relay("alerts", "list", "--json", "--cursor", "c1", "--limit", "5000")

    assert stub.asked[0].path == "/v1/alerts?cursor=c1&limit=1000"
    assert json.loads(ran.out) == {"alerts": [], "next": None}


def test_one_alert_is_shown(relay: Run, stub: StubRelay) -> None:
    """For people and for machines."""
    stub.on("GET /v1/alerts/abc", ROW)

    assert "what          Mudflow" in relay("alerts", "show", "abc").out
    assert json.loads(relay("alerts", "show", "abc", "--json").out) == ROW


def test_id_cannot_lead_elsewhere(relay: Run, stub: StubRelay) -> None:
    """What is typed as an id stays one segment of the path."""
    relay("alerts", "show", "../keys?x")

    assert stub.asked[0].path == "/v1/alerts/..%2Fkeys%3Fx"


def test_unknown_alert_is_1(relay: Run) -> None:
    """A refusal is printed as one."""
    ran = relay("alerts", "show", "none")

    assert ran.code == 1
    assert ran.err == "There is nothing here (404)\n"


def test_deliveries_are_shown_in_words(relay: Run, stub: StubRelay) -> None:
    """Who, by what, and what became of it."""
    stub.on("GET /v1/alerts/abc/deliveries", {"deliveries": [{"recipient": "r7", "state": "delivered"}], "next": None})
    ran = relay("alerts", "deliveries", "abc", "--kind", "sms", "--state", "delivered", "--recipient", "r7")

    assert "kind=sms" in stub.asked[0].path
    assert "received" in ran.out
    assert "next" in relay("alerts", "deliveries", "abc", "--json").out


def test_why_is_explained(relay: Run, stub: StubRelay) -> None:
    """The relay's own sentences."""
    stub.on("GET /v1/alerts/abc/why", {"id": "abc", "decision": "held", "sentences": ["Its area is missing."]})

    assert relay("alerts", "why", "abc").out == "abc: held\n  Its area is missing.\n"
    assert json.loads(relay("alerts", "why", "abc", "--json").out)["decision"] == "held"


def test_cancel_names_both_alerts(relay: Run, stub: StubRelay) -> None:
    """The reason travels; the answer says which alert is the Cancel."""
    stub.on("POST /v1/alerts/abc/cancel", {"id": "def", "cancels": "abc"}, status=202)
    ran = relay("alerts", "cancel", "abc", "--reason", "false alarm")

    assert stub.asked[0].document == {"reason": "false alarm"}
    assert ran.out.startswith("cancelled: abc, by alert def\n")
    assert json.loads(relay("alerts", "cancel", "abc", "--json").out)["id"] == "def"


@pytest.mark.parametrize(
    ("word", "state", "shown"), [("approve", "active", "approved"), ("reject", "rejected", "rejected")]
)
def test_held_alert_is_decided(relay: Run, stub: StubRelay, word: str, state: str, shown: str) -> None:
    """A person's word, with its reason."""
    stub.on("POST /v1/alerts/abc/approval", {"id": "abc", "state": state})
    ran = relay("alerts", word, "abc", "--reason", "seen")

    assert stub.asked[0].document == {"decision": word, "reason": "seen"}
    assert ran.out == f"{shown}: abc is now {state}\n"
    assert json.loads(relay("alerts", word, "abc", "--json").out)["state"] == state
