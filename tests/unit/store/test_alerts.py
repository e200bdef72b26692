"""Stored alerts as values; what Redis does with them is in the contract of the scripts."""

from itertools import pairwise

import pytest

from relay.adapter import Class
from relay.store.alerts import StoredAlert
from relay.store.plan_jobs import plan_score

EARLY, LATE = 1_700_000_000_000, 4_000_000_000_000  # 2023 and 2096


def test_class_outweighs_age() -> None:
    """The oldest of a class comes after the newest of the class above, for as long as milliseconds grow."""
    order = [(klass, at) for klass in Class for at in (EARLY, EARLY + 1, LATE)]
    scores = [plan_score(klass, at) for klass, at in order]

    assert all(a < b for a, b in pairwise(scores))
    assert float(scores[-1]) == scores[-1], "a score is a double in Redis, and must be exact"


def test_only_flash_is_below_the_line() -> None:
    """``plan_take.lua`` knows a P0 by its score."""
    assert plan_score(Class.P0, LATE) < 2**42 <= plan_score(Class.P1, 0)


def test_fields_of_a_stored_alert() -> None:
    """A field that is absent reads as empty, a number as 0."""
    alert = StoredAlert({"class": "P2", "legs": "a,b", "received": "1700000000000", "expires": "1.7e12"}, b"raw")

    assert (alert["class"], alert["headline"], alert.klass) == ("P2", "", Class.P2)
    assert (alert.number("received"), alert.number("expires"), alert.number("done")) == (EARLY, EARLY, 0)


@pytest.mark.parametrize(("text", "legs"), [("", []), ("a", ["a"]), ("a,b,c", ["a", "b", "c"])])
def test_legs_in_their_order(text: str, legs: list[str]) -> None:
    """Legs are listed in the order of their rounds."""
    assert StoredAlert({"legs": text}).legs == legs
    assert StoredAlert({}).legs == []
