"""The state of the relay in at most twenty lines."""

from typing import Any

import pytest

from relay.commands.status_lines import FEW, Frame, ago, frame_lines, status_lines

URL = "http://127.0.0.1:8080"


def busy(rows: int) -> dict[str, Any]:
    alert = {"id": "a", "priority": "P0", "state": "active", "age_s": 100, "headline": "Mudflow", "status": "Actual"}
    channel = {"name": "sms", "kind": "sms", "state": "failing", "per_second": 4.5, "error": "bind refused"}
    return {
        "time": "2026-03-01T03:12:44Z",
        "stopped": False,
        "alarms": [{"code": "held", "message": "P0 waits for a decision", "alert": "a"}] * rows,
        "alerts": [{**alert, "words": {"received": 212, "on the way": 9, "acknowledged": 41}}] * rows,
        "classes": {"P0": {"queued": 0, "oldest_s": 0}, "P3": {"queued": 1200, "oldest_s": 4}},
        "channels": [{**channel, "error_age_s": 240}] * rows,
        "held": [alert] * rows,
        "refused": [],
        "redis": {"available": True, "pending": 3},
        "journal": {"error": None, "fsync_ms": {"p50": 0.4, "p99": 2.0}},
        "workers": [{"alive": True}, {"alive": False}],
    }


@pytest.mark.parametrize("trouble", ["", "no relay answers"])
def test_watched_frame_has_at_most_twenty_lines(trouble: str) -> None:
    """Over a thin link the whole picture stays on one screen, in trouble too."""
    lines = frame_lines(Frame(url=URL, document=busy(50), at=10.0, trouble=trouble), now=12.0, most=FEW)

    assert len(lines) <= 20
    assert any("… and" in line for line in lines)


def test_everything_is_told_in_words() -> None:
    """Alarms with where to look, ages, words for people, errors."""
    lines = status_lines(busy(1), url=URL)

    assert lines == [
        "2026-03-01T03:12:44Z  http://127.0.0.1:8080  sending",
        "! P0 waits for a decision  (relay alerts show a)",
        "waiting  P0 0  P3 1,200 (4 s)",
        "P0  active  100 s  Mudflow  acknowledged 41 · received 212 · on the way 9",
        "sms  sms  failing  4.5/s  bind refused (4 min ago)",
        "held 1   refused in the last hour 0",
        "redis ok, 3 to be told   journal ok, fsync 0.4 ms (p99 2.0)   workers 1 (1 silent)",
    ]


def test_stop_cannot_be_overlooked() -> None:
    """The first line says when nothing is sent."""
    assert "ALL SENDING IS STOPPED" in status_lines({"stopped": True}, url=URL)[0]


def test_picture_that_stopped_looks_stopped() -> None:
    """Old figures are shown as old, with the reason."""
    lines = frame_lines(Frame(url=URL, document=busy(1), at=10.0, trouble="no relay answers"), now=75.0, most=FEW)

    assert lines[:2] == ["NO NEWS: no relay answers", "what follows is 65 s old"]


def test_first_look_without_an_answer_shows_no_figures() -> None:
    """Nothing is invented before the first answer."""
    assert frame_lines(Frame(url=URL, trouble="no relay answers"), now=1.0, most=FEW) == ["NO NEWS: no relay answers"]


def test_faults_of_the_house_are_loud() -> None:
    """A journal that fails and a Redis that is away stand out."""
    last = status_lines({"redis": {"available": False}, "journal": {"error": "no space"}}, url=URL)[-1]

    assert last == "redis AWAY   journal FAILING: no space   workers 0"


def test_empty_relay_says_so() -> None:
    """No rows are a sentence each."""
    lines = status_lines({}, url=URL)

    assert {"no alarms", "no alerts", "no channels", "waiting  nothing"} <= set(lines)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0 s"), (119.9, "119 s"), (120, "2 min"), (7200, "2 h"), (172800, "2 d")]
)
def test_ages_have_the_unit_of_people(seconds: float, shown: str) -> None:
    """Nobody divides by sixty at three in the morning."""
    assert ago(seconds) == shown
