"""The answer about one alert."""

from __future__ import annotations

import orjson

from relay.tracking.report import brief, chain, counts, findings, five_words, full
from relay.tracking.states import State
from tests.unit.tracking.conftest import MakeLeg, MakeStored


def test_counts_are_of_all_legs_without_zeros(make_leg: MakeLeg) -> None:
    """Counts add up over legs, in the words of the API; zero counts are left out."""
    legs = [
        make_leg(counts={State.QUEUED: 0, State.DELIVERED: 2, State.ACCEPTED: 1}),
        make_leg("b" * 13, counts={State.DELIVERED: 3}),
    ]

    assert counts(legs) == {"accepted": 1, "delivered": 5}


def test_counts_sum_to_deliveries(make_leg: MakeLeg, make_stored: MakeStored) -> None:
    """The counts of an alert sum to its deliveries."""
    row = brief(make_stored(recipients=3), [make_leg(counts={State.QUEUED: 1, State.FAILED: 2})])

    assert row["deliveries"] == sum(row["counts"].values()) == 3
    assert row["recipients"] == 3


def test_words_for_people(make_leg: MakeLeg) -> None:
    """States are gathered into the words for people."""
    legs = [make_leg(counts={State.QUEUED: 1, State.ACCEPTED: 2, State.POSSIBLY_SENT: 3, State.CANCELLED: 4})]

    assert five_words(legs) == {"on the way": 3, "unknown": 3, "not sent": 4}


def test_times_that_are_known(make_stored: MakeStored) -> None:
    """Only what has happened has a time."""
    times = brief(make_stored(done=1_000), [])["times"]

    assert times["received"] == "2026-03-01T06:00:00.000Z"
    assert times["expires"] == "2026-03-01T07:00:00.000Z"
    assert times["ended"] == "1970-01-01T00:00:01.000Z"
    assert "planned" not in times


def test_the_whole_answer(make_leg: MakeLeg, make_stored: MakeStored) -> None:
    """One alert tells its class, its chain and how far each leg is."""
    document = full(make_stored(), [make_leg(done="1000")], chain={"references": []})

    assert (document["id"], document["priority"], document["reason"]) == ("alert1", "P1", None)
    assert document["chain"] == {"references": []}
    assert document["legs"][0]["deliveries"] == 3
    assert document["legs"][0]["ended"] == "1970-01-01T00:00:01.000Z"


def test_the_chain(make_stored: MakeStored) -> None:
    """What an alert refers to, what refers to it, and what never came, are told apart."""
    found = chain(
        make_stored(cancelled_by="c"),
        references={"k": ["b", "a"], "unknown": []},
        referrers=[("Cancel", "c"), ("Update", "u")],
    )

    assert found == {
        "references": ["a", "b"],
        "unknown_references": 1,
        "referred_by": ["c", "u"],
        "cancelled_by": "c",
        "superseded_by": None,
    }


def test_findings_in_the_readers_language(make_stored: MakeStored) -> None:
    """Stored findings are shown in Russian where they have it, and never with both languages."""
    stored = make_stored(
        findings=orjson.dumps(
            [
                {"rule": "R", "severity": "fixed", "message": "yes", "message_ru": "да", "path": "", "line": None},
                {"rule": "S", "severity": "fixed", "message": "only", "message_ru": "", "path": "", "line": 3},
            ]
        ).decode()
    )

    assert [row["message"] for row in findings(stored, language="ru")] == ["да", "only"]
    assert [row["message"] for row in findings(stored, language="en")] == ["yes", "only"]
    assert "message_ru" not in findings(stored, language="en")[0]
    assert findings(make_stored(), language="en") == []
