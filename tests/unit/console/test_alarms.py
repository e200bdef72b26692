"""Alarms: what needs somebody, and what to do about it."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

import pytest

from relay.console.alarm_words import ALARMS
from relay.console.alarms import Alarm, alarms_of, alive, broken_parts
from relay.console.figures import Wall
from relay.console.situation import read
from relay.console.words import LANGUAGES, Say
from relay.testing.clocks import START
from tests.unit.console.situations import CALM, DOWN, HELD, TROUBLE, alert, channel, refused


def alarms(status: Mapping[str, Any], language: str = "en") -> list[Alarm]:
    return alarms_of(read(status), Say(language, ALARMS), Wall(START, UTC, language))


def codes(status: Mapping[str, Any]) -> list[str]:
    return [alarm.code for alarm in alarms(status)]


def test_calm_has_none() -> None:
    """Nothing is red on a quiet night."""
    assert codes(CALM) == []


def test_trouble_comes_in_order() -> None:
    """What waits for a decision first, what is only to be watched last."""
    assert codes(TROUBLE) == ["held", "nobody", "refused", "channel", "worker"]
    assert [alarm.red for alarm in alarms(TROUBLE)] == [True, True, True, True, False]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", [TROUBLE, DOWN])
def test_red_never_stands_without_what_to_do(status: Mapping[str, Any], language: str) -> None:
    """Every alarm says what to do, in whole words of its language."""
    for alarm in alarms(status, language):
        assert alarm.todo
        assert "_" not in alarm.title + alarm.todo
        assert "{" not in alarm.title + alarm.todo


def test_a_held_alert_can_be_decided() -> None:
    """It says what, for whom, whether it is real and why it waits; the ways to act are beside it."""
    held = alarms({**CALM, "held": [{**HELD, "recipients": 12_480}]})[0]

    assert (held.quote, held.klass) == ("Mudflow, Ozgon district", "P0")
    assert held.facts == ("ACTUAL", "12,480 people", "Hydromet", "outside the agency's territory")
    assert [(button.ask, button.about) for button in held.buttons] == [
        ("approve", "mudflow"),
        ("reject", "mudflow"),
        ("", "mudflow"),
    ]


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    """A reason of a newer relay is not hidden."""
    held = alarms({**CALM, "held": [{**HELD, "reason": "full_moon"}]})[0]

    assert "full_moon" in held.facts


def test_more_held_than_told_are_said() -> None:
    """A count without rows is an alarm too."""
    assert codes({**CALM, "held": 3}) == ["held_more"]


@pytest.mark.parametrize("facts", [{"status": "Exercise"}, {"mode": "test"}, {"msgType": "Cancel"}, {"recipients": 3}])
def test_only_a_real_alert_that_matches_nobody_alarms(facts: dict[str, Any]) -> None:
    """A drill, a test key's alert and a cancel that reach nobody are no alarm."""
    real = alert("a", state="completed")

    assert codes({**CALM, "alerts": [real]}) == ["nobody"]
    assert codes({**CALM, "alerts": [{**real, **facts}]}) == []


@pytest.mark.parametrize(
    ("priority", "shown"), [("P0", True), ("P1", True), ("P2", False), ("PX", False), (None, False)]
)
def test_a_refused_warning_is_an_alarm_when_it_was_urgent(priority: str | None, shown: bool) -> None:
    """A mudflow that was refused four times must not look like a calm night."""
    found = codes({**CALM, "refused": [refused("Hydromet", 30, "CAP-031", priority=priority)]})

    assert found == (["refused"] if shown else [])


def test_everything_stopped_is_an_alarm_with_the_way_back() -> None:
    """Who stopped it and why, and the button to resume."""
    stopped = alarms({**CALM, "stopped": {"by": "k2abc", "reason": "wrong area", "at": None}})[0]

    assert stopped.code == "stopped"
    assert stopped.facts == ("k2abc · wrong area",)
    assert [button.ask for button in stopped.buttons] == ["resume"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"redis": {"available": False, "pending": 0}}, ["redis"]),
        ({"redis": {"available": False, "pending": 9}}, ["redis", "pending"]),
        ({"redis": {"available": True, "pending": 9}}, ["pending"]),
        ({"journal": {"error": "disk full"}}, ["journal"]),
        ({"journal": {"error": None, "damaged": ["n-1.000003"]}}, ["damaged"]),
        ({"clock_trusted": False}, ["clock"]),
        ({"workers": []}, ["worker"]),
        ({"workers": [{"id": "w", "age_s": 5.1}]}, ["worker"]),
        ({"workers": [{"id": "w", "age_s": 5.0}]}, []),
        ({"channels": [channel("a", "sms", state="paused"), channel("b", "sms", state="unknown")]}, []),
        ({"channels": [channel("a", "sms", state="failing")]}, ["channel"]),
        ({"alarms": [{"code": "redis", "message": "said in our own words"}]}, []),
        ({"alarms": [{"code": "disk_full", "message": "The disk is 99 % full."}]}, ["disk_full"]),
    ],
)
def test_each_fault_has_its_alarm(change: dict[str, Any], expected: list[str]) -> None:
    """One fault, one alarm; an alarm of a newer relay is shown as it came."""
    assert codes({**CALM, **change}) == expected


def test_what_is_broken_is_named() -> None:
    """Channels by their names, the relay's own parts by theirs."""
    wall = Wall(START, UTC, "en")
    down = read(
        {**DOWN, "journal": {"error": "disk full"}, "workers": [], "channels": [channel("a", "sms", state="failing")]}
    )

    assert broken_parts(read(CALM), wall) == []
    assert broken_parts(read(TROUBLE), wall) == ["sms-south"]
    assert broken_parts(down, wall) == ["a", "redis", "journal", "workers"]
    assert alive(read(TROUBLE), wall) == 1
