"""What the /status JSON says, as the page understands it."""

from typing import Any

import pytest

from relay.console.situation import CLASSES, read
from relay.testing.clocks import START
from relay.tracking.states import State
from tests.unit.console.situations import CALM, DOWN, TROUBLE, ago, alert, channel, refused


def test_the_worst_goes_first() -> None:
    """What goes on before what is over, then by class, then the newest; what is held stands apart."""
    now = read(TROUBLE)

    assert [row.alert_id for row in now.alerts] == ["quake", "nobody", "wind", "drill"]
    assert [row.alert_id for row in now.held] == ["mudflow"]
    assert [row.name for row in now.channels] == ["sms-south", "webhook", "mail", "sms-north"]


def test_words_for_people_come_from_states_where_they_are_missing() -> None:
    """Every state counts in one of the words; a state of a newer relay counts as unknown."""
    counts = {**{state.word: 1 for state in State}, "teleported": 5}
    row = read({"alerts": [{"id": "a", "counts": counts}]}).alerts[0]

    assert sum(row.words.values()) == len(State) + 5
    assert row.words["acknowledged"] == 1
    assert row.words["on the way"] == 4
    assert row.words["unknown"] == 2 + 5


def test_who_was_not_counted_is_not_nobody() -> None:
    """Before the plan an alert has no number of people; after it zero means zero."""
    now = read({"alerts": [alert("a", state="accepted"), alert("b", state="completed"), alert("c", state="held")]})
    by_id = {row.alert_id: row for row in (*now.alerts, *now.held)}

    assert by_id["a"].recipients is None
    assert by_id["b"].recipients == 0
    assert by_id["c"].recipients is None


@pytest.mark.parametrize(
    ("facts", "nobody"),
    [
        ({"state": "completed"}, True),
        ({"state": "completed", "msgType": "Update"}, True),
        ({"state": "completed", "msgType": "Cancel"}, False),
        ({"state": "completed", "msgType": "Ack"}, False),
        ({"state": "completed", "recipients": 1}, False),
        ({"state": "accepted"}, False),
        ({"state": "expired"}, False),
    ],
)
def test_meant_for_people_and_matched_none(facts: dict[str, Any], nobody: bool) -> None:
    """Only an alert or update whose plan found nobody."""
    row = read({"alerts": [alert("a", **facts)]}).alerts[0]

    assert row.nobody is nobody


def test_refusals_of_one_agency_are_one_line() -> None:
    """Four tries are one line with its count, the highest class and the last time; the urgent ones first."""
    now = read(TROUBLE)
    mixed = read({"refused": [refused("A", 9, "CAP-1", priority="P3"), refused("A", 5, "CAP-1", priority="P1")]})

    assert [(group.agency, group.count, group.klass) for group in now.refused] == [
        ("Kyrgyz Hydromet", 4, "P0"),
        ("Water board", 1, ""),
    ]
    assert now.refused_count == 5
    assert now.refused[0].last is not None
    assert (START - now.refused[0].last).total_seconds() == 44
    assert now.refused[1].rules == ("validation-failed",)
    assert [(group.count, group.klass) for group in mixed.refused] == [(2, "P1")]


def test_ages_become_times() -> None:
    """The oldest that waits, the last error and a heartbeat are told as ages."""
    now = read(TROUBLE)
    oldest = {queue.klass: queue.oldest for queue in now.queues}
    error_at = now.channels[0].error_at
    seen = now.workers[1].seen

    assert tuple(oldest) == CLASSES
    assert oldest["P0"] is not None
    assert (START - oldest["P0"]).total_seconds() == 94
    assert oldest["P1"] is None
    assert error_at is not None
    assert (START - error_at).total_seconds() == 12
    assert seen is not None
    assert (START - seen).total_seconds() == 48


def test_redis_away_is_understood() -> None:
    """What the relay says of itself while it knows little else."""
    now = read(DOWN)

    assert not now.redis_up
    assert now.pending == 3
    assert not now.clock_trusted
    assert now.stopped == {"by": "k2abc", "reason": "wrong area", "at": None}
    assert read(CALM).redis_up
    assert read(CALM).stopped is None


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"alerts": None, "held": 3, "refused": 7, "workers": "two", "channels": {"mail": {"kind": "email"}}},
        {"time": "soon", "alerts": [{}], "classes": {"P0": None}, "redis": "refused", "journal": 5, "stopped": True},
        {"alerts": [alert("a", words={"received": "many"}, areas=["x", 7], received=None)]},
        {"channels": [channel("a", "sms", per_second=None, error_age_s="long")], "refused": [{"rules": 5}]},
        {"held": [{"id": 7}], "workers": [{}], "classes": {"P0": {"queued": -1, "oldest_s": 1e300}}, "time": ago(0)},
    ],
)
def test_odd_answers_are_read(odd: dict[str, Any]) -> None:
    """A page comes up whatever the relay says; bare numbers count."""
    now = read(odd)

    assert now.held_count == (odd["held"] if odd.get("held") == 3 else len(now.held))
    assert len(now.queues) == len(CLASSES)
