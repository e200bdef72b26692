"""Every decision as a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from relay.cap.model import Alert, Info, Time
from relay.testing.clocks import START
from relay.tracking.why import explained_reasons, why
from tests.unit.tracking.conftest import MakeStored

INFO = Info(
    category=("Met",),
    event="Flood",
    urgency="Expected",
    severity="Severe",
    certainty="Likely",
    expires=Time("2026-03-01T07:00:00+00:00", START + timedelta(hours=1)),
)
ALERT = Alert(
    identifier="a-1",
    sender="duty@meteo.example",
    sent=Time("2026-03-01T06:00:00+00:00", START),
    status="Actual",
    msg_type="Alert",
    scope="Public",
    info=(INFO,),
)


def text(
    make_stored: MakeStored, alert: Alert = ALERT, facts: dict[str, str] | None = None, *, twins: tuple[str, ...] = ()
) -> str:
    """Return the sentences about an alert."""
    return " ".join(
        why(make_stored(**(facts or {})), alert, namesakes=("alert1", *twins), flash_events=())["sentences"]
    )


def test_the_shape(make_stored: MakeStored) -> None:
    """An explanation has the decision, sentences, and the keys of design §7."""
    explained = why(make_stored(), ALERT, namesakes=(), flash_events=())

    assert explained["id"] == "alert1"
    assert explained["decision"] == "active"
    assert explained["keys"] == {"K0": "d0", "K1": "d1", "K2": "d2"}
    assert all(sentence.endswith((".", "”.")) for sentence in explained["sentences"])


def test_the_class_has_its_reason(make_stored: MakeStored) -> None:
    """The class is explained by the info that decided, or by the correction that raised it."""
    worse = replace(INFO, severity="Extreme", urgency="Immediate", certainty="Observed", event="Quake")
    drill = replace(ALERT, status="Exercise")

    assert "class is P1: urgency Expected, severity Severe" in text(make_stored)
    assert "event “Quake”" in text(make_stored, replace(ALERT, info=(INFO, worse)), {"class": "P0"})
    assert "corrects an urgent alert" in text(make_stored, facts={"class": "P0"})
    assert "its status is Exercise" in text(make_stored, drill, {"class": "PX"})
    assert "it has no info" in text(make_stored, replace(ALERT, info=()), {"class": "P3"})


def test_a_hold_and_its_end(make_stored: MakeStored) -> None:
    """A held alert says why, and a decided one who decided."""
    held = text(make_stored, facts={"state": "held", "reason": "clock_doubt"})
    decided = text(
        make_stored,
        facts={
            "state": "rejected",
            "reason": "clock_doubt",
            "decided_by": "k1",
            "decision_reason": "old",
            "decided": "1000",
        },
    )

    assert "waits for a person" in held
    assert "wrong clock" in held
    assert "It was held and rejected by key k1 at 1970-01-01T00:00:01.000Z: “old”." in decided


def test_twins_are_named(make_stored: MakeStored) -> None:
    """Another alert with the same triple is named, the alert itself is not."""
    assert "K1" not in text(make_stored)
    assert "another alert too, which speaks of something else: other." in text(make_stored, twins=("other",))


def test_cancel_and_update(make_stored: MakeStored) -> None:
    """What ended an alert is named."""
    assert "The Cancel c1 refers to it" in text(make_stored, facts={"state": "cancelled", "cancelled_by": "c1"})
    assert "The Update u1 refers to it" in text(make_stored, facts={"state": "superseded", "superseded_by": "u1"})


def test_the_end_is_stated_or_assumed(make_stored: MakeStored) -> None:
    """An assumed end is called assumed."""
    assert "Nothing is sent after 2026-03-01T07:00:00.000Z." in text(make_stored)
    assert "states no expires; the relay assumes" in text(
        make_stored, replace(ALERT, info=(replace(INFO, expires=None),))
    )


@pytest.mark.parametrize(("fact", "words"), [({"mode": "test"}, "test key"), ({"again": "1"}, "loss of Redis")])
def test_what_else_is_true(make_stored: MakeStored, fact: dict[str, str], words: str) -> None:
    """A test key and a recovery are told."""
    assert words in text(make_stored, facts=fact)


def test_every_reason_is_a_sentence(make_stored: MakeStored) -> None:
    """Known reasons have sentences, unknown ones are named."""
    assert all(sentence.endswith(".") for sentence in explained_reasons().values())
    assert "The reason is brand_new." in text(make_stored, facts={"state": "held", "reason": "brand_new"})
