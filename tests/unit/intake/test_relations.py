"""What references mean: how urgent a correction is, and what a person must look at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.adapter import Class
from relay.cap.model import Reference
from relay.cap.references import reference_key
from relay.intake.relations import Target, relate
from relay.testing.clocks import START
from tests.unit.intake.conftest import MakeAlert, MakeKey, time

REFERENCE = Reference("duty@meteo.example", "a-0", time(START))
FOREIGN = Reference("duty@seismo.example", "s-0", time(START))
K1 = reference_key(REFERENCE)


def a_target(klass: Class = Class.P0, *, status: str = "Actual", alert_id: str = "old") -> Target:
    return Target(alert_id, klass, status)


def test_an_alert_has_no_relations(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """Whatever it mentions, an Alert corrects nothing."""
    found = relate(make_alert(references=(FOREIGN,)), Class.P2, {}, key=make_key())

    assert (found.klass, found.ambiguous, found.hold) == (Class.P2, (), "")


@pytest.mark.parametrize(
    ("target", "own", "expected"),
    [(Class.P0, Class.P4, Class.P0), (Class.P1, Class.P4, Class.P0), (Class.P3, Class.P2, Class.P2)],
)
def test_cancel_is_as_urgent_as_what_it_takes_back(
    make_alert: MakeAlert, make_key: MakeKey, target: Class, own: Class, expected: Class
) -> None:
    """A Cancel of a P0 or P1 is P0, and nothing makes it slower than it is by itself."""
    cancel = make_alert(msg_type="Cancel", references=(REFERENCE,))

    assert relate(cancel, own, {K1: [a_target(target)]}, key=make_key()).klass == expected


def test_cancel_of_something_nobody_could_look_up_is_the_worst(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """Redis is away: to hurry a Cancel harms nobody, an Update keeps its own class."""
    cancel = make_alert(msg_type="Cancel", references=(REFERENCE,))

    assert relate(cancel, Class.P4, None, key=make_key()).klass == Class.P0
    assert relate(replace(cancel, msg_type="Update"), Class.P3, None, key=make_key()).klass == Class.P3


def test_update_that_lowers_is_a_correction(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """Who fled from the worst hears at once that it is less; more of the same is no correction."""
    old = make_alert()
    info = replace(old.info[0], severity="Minor")
    update = make_alert(msg_type="Update", references=(REFERENCE,), info=(info,))
    known = Target("old", Class.P1, "Actual", old)

    assert relate(update, Class.P4, {K1: [known]}, key=make_key()).klass == Class.P0
    assert relate(replace(update, info=old.info), Class.P1, {K1: [known]}, key=make_key()).klass == Class.P1


def test_drill_is_never_raised(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """An Exercise corrects with the class of an exercise."""
    drill = make_alert(status="Exercise", msg_type="Cancel", references=(REFERENCE,))

    assert relate(drill, Class.PX, {K1: [a_target(Class.PX, status="Exercise")]}, key=make_key()).klass == Class.PX
    assert relate(drill, Class.PX, None, key=make_key()).klass == Class.PX


def test_reference_that_fits_two_is_ambiguous(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """Both are named; a reference that fits one is clear."""
    cancel = make_alert(msg_type="Cancel", references=(REFERENCE,))
    both = [a_target(), a_target(alert_id="other")]

    assert relate(cancel, Class.P1, {K1: both}, key=make_key()).ambiguous == ("old", "other")
    assert relate(cancel, Class.P1, {K1: both[:1]}, key=make_key()).ambiguous == ()


@pytest.mark.parametrize("targets", [None, {}])
@pytest.mark.parametrize("msg_type", ["Cancel", "Update"])
def test_another_agencys_alert_needs_a_person(
    make_alert: MakeAlert, make_key: MakeKey, msg_type: str, targets: None
) -> None:
    """Also when nobody knows that alert: it may come later."""
    foreign = make_alert(msg_type=msg_type, references=(REFERENCE, FOREIGN))

    assert relate(foreign, Class.P2, targets, key=make_key()).hold == "foreign_reference"
    allowed = make_key(senders=("*@meteo.example", "*@seismo.example"))
    assert relate(foreign, Class.P2, targets, key=allowed).hold == ""


@pytest.mark.parametrize(("word", "about"), [("Exercise", "Actual"), ("Actual", "Exercise"), ("Actual", "Test")])
def test_drill_and_reality_do_not_touch(make_alert: MakeAlert, make_key: MakeKey, word: str, about: str) -> None:
    """A drill's Cancel stops no real alert, and the other way round."""
    cancel = make_alert(status=word, msg_type="Cancel", references=(REFERENCE,))

    assert relate(cancel, Class.P2, {K1: [a_target(status=about)]}, key=make_key()).hold == "drill_and_real"
