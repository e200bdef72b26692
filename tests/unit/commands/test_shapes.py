"""Alerts and deliveries as people read them."""

import pytest

from relay.commands.shapes import (
    HEADLINE,
    accepted_lines,
    alert_lines,
    alerts_sheet,
    deliveries_sheet,
    headline,
    in_words,
    preview_lines,
    reach,
    short_time,
    why_lines,
    word_of,
)
from relay.tracking.states import State

ALERT = {
    "id": "abc",
    "state": "active",
    "reason": None,
    "priority": "P0",
    "identifier": "KZ-1",
    "sender": "duty@seismo.example",
    "sent": "2026-03-01T04:05:40+05:00",
    "status": "Actual",
    "headline": "Earthquake",
    "counts": {"delivered": 4, "failed": 1},
    "recipients": 5,
    "deliveries": 5,
    "durability": {"journal": "fsync", "redis": "applied", "copies": 1},
    "times": {"received": "2026-02-28T23:05:41.123Z"},
    "chain": {"references": [], "unknown_references": 0, "referred_by": ["def"], "cancelled_by": "def"},
    "findings": [{"rule": "CAP-014", "severity": "fixed", "message": "closed the ring", "path": "/p", "line": 3}],
}


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_word(state: State) -> None:
    """No state of the merge table is shown as a machine's word alone."""
    assert word_of(state.word) in {"acknowledged", "received", "on the way", "not reached", "unknown", "not sent"}


def test_doubt_is_never_called_received() -> None:
    """What nobody confirmed is unknown, and so is a state that a newer relay invents."""
    assert word_of("delivered_unconfirmed") == "unknown"
    assert word_of("possibly_sent") == "unknown"
    assert word_of("invented_later") == "unknown"


def test_counts_in_words_lose_nobody() -> None:
    """The words add up to the deliveries."""
    counts = {"queued": 1, "sending": 2, "delivered": 3, "failed": 4, "expired": 5, "suppressed": 6}

    assert in_words(counts) == {"received": 3, "on the way": 3, "not reached": 9, "not sent": 6}
    assert sum(in_words(counts).values()) == sum(counts.values())


def test_reach_is_one_line() -> None:
    """Large numbers can be read."""
    assert reach({"delivered": 12480, "retrying": 9}) == "received 12,480 · on the way 9"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-03-01T04:05:40.123456+00:00", "2026-03-01T04:05:40Z"),
        ("2026-03-01T04:05:40.1+05:00", "2026-03-01T04:05:40+05:00"),
        ("2026-03-01T04:05:40+05:00", "2026-03-01T04:05:40+05:00"),
        (None, ""),
    ],
)
def test_times_are_shown_to_the_second(given: str | None, shown: str) -> None:
    """The zone that an agency wrote stays."""
    assert short_time(given) == shown


def test_alert_is_shown_with_reach_and_findings() -> None:
    """One look says what became of it."""
    lines = alert_lines(ALERT)

    assert "reach         received 4 · not reached 1" in lines
    assert "exactly       delivered 4 · failed 1" in lines
    assert "kept          safe on disk" in lines
    assert "cancelled by  def" in lines
    assert "received      2026-02-28T23:05:41Z" in lines
    assert "  fixed CAP-014 line 3: closed the ring" in lines


def test_stale_answer_says_so() -> None:
    """What a node remembers while Redis is away is not taken for the present."""
    assert any("cannot be reached now" in line for line in alert_lines({"id": "abc", "stale": True}))


def test_drill_is_not_shown_as_real() -> None:
    """A row of an exercise begins with its status."""
    assert headline({"headline": "Flood", "status": "Exercise"}) == "EXERCISE Flood"
    assert headline({"headline": "", "event": "Flood", "status": "Actual"}) == "Flood"


def test_long_headline_does_not_push_the_rest_away() -> None:
    """A row stays a row."""
    assert len(headline({"headline": "x" * 500, "status": "Actual"})) == HEADLINE


def test_rows_of_alerts() -> None:
    """A held alert shows why."""
    sheet = alerts_sheet([ALERT, {"id": "h", "state": "held", "reason": "clock_doubt"}])

    assert sheet.rows[0][-1] == "received 4 · not reached 1"
    assert sheet.rows[1][2] == "held (clock_doubt)"


def test_rows_of_deliveries() -> None:
    """A word for people, the exact state, and what should be known besides."""
    row = {
        "recipient": "almaty-rescue-7",
        "kind": "sms",
        "channel": None,
        "state": "acknowledged",
        "attempts": 2,
        "reason": None,
        "possible_duplicate": True,
        "answer": "2",
        "late": True,
        "times": {"queued": "2026-03-01T00:00:00.000Z", "acknowledged": "2026-03-01T00:00:09.500Z"},
    }
    shown = deliveries_sheet([row]).rows[0]

    assert shown == (
        "almaty-rescue-7",
        "sms",
        "-",
        "acknowledged",
        "acknowledged",
        "2",
        "2026-03-01T00:00:09Z",
        "answered 2, late, may have come twice",
    )


def test_accepted_alert_says_that_it_is_safe() -> None:
    """202 in words."""
    answer = {
        "id": "abc",
        "state": "accepted",
        "priority": "P1",
        "durability": {"journal": "fsync", "redis": "applied"},
    }

    assert accepted_lines(answer, status=202) == ["accepted: abc  P1", "safe on disk"]


def test_pending_alert_says_that_nothing_is_sent_yet() -> None:
    """While Redis is away the alert is safe, and waits."""
    answer = {"id": "abc", "state": "accepted", "durability": {"journal": "fsync", "redis": "pending"}}

    assert any("sending begins when it is back" in line for line in accepted_lines(answer, status=202))


def test_duplicate_says_that_nothing_is_sent_again() -> None:
    """200 in words."""
    answer = {"id": "abc", "state": "active", "duplicate": {"of": "abc", "key": "K0", "why": "the same bytes"}}

    assert accepted_lines(answer, status=200) == [
        "already accepted: abc (the same bytes)",
        "nothing is sent a second time",
    ]


@pytest.mark.parametrize(("state", "word"), [("held", "until an operator decides"), ("expired", "nobody is told")])
def test_alert_that_reaches_nobody_says_so(state: str, word: str) -> None:
    """202 alone must not be taken for "people are being told"."""
    assert any(word in line for line in accepted_lines({"id": "abc", "state": state}, status=202))


def test_preview_counts_people_and_parts() -> None:
    """A dry run says whom it would reach, in which words, and that nothing left."""
    lines = preview_lines(
        {
            "state": "accepted",
            "reason": None,
            "priority": "P0",
            "recipients": 12,
            "messages": {"sms": 9, "email": 4},
            "segments": {"ru": 2, "kk": 2},
            "findings": [],
        }
    )

    assert lines == [
        "state         accepted",
        "class         P0",
        "recipients    12",
        "messages      sms 9, email 4",
        "sms parts     ru 2, kk 2",
        "nothing was sent: this is what would be",
    ]


def test_why_is_sentences() -> None:
    """The explanation and the keys it rests on."""
    why = {"id": "abc", "decision": "completed", "sentences": ["Every delivery ended."], "keys": {"K0": "f00"}}

    assert why_lines(why) == ["abc: completed", "  Every delivery ended.", "  K0  f00"]
