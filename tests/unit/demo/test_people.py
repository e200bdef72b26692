"""Who is told in the demo."""

from __future__ import annotations

import orjson
import pytest

from relay.demo.people import (
    ANSWERS_BY_LINK,
    ANSWERS_BY_SMS,
    CROWD,
    CROWD_PREFIX,
    NO_RECEIPT,
    PEOPLE,
    QUICK,
    by_id,
    crowd_ndjson,
    crowd_number,
    inside,
    languages_line,
    make_secret,
    needs_line,
    people_ndjson,
)
from relay.directory.egress import Guard
from relay.directory.recipient import parse


def test_they_are_as_introduced() -> None:
    """The introduction counts languages and needs of the twelve."""
    assert len(PEOPLE) == 12
    assert languages_line() == "5 kk, 3 ru, 2 ky, 1 uz, 1 en"
    assert needs_line() == "one cannot hear, one cannot see, 7 have no internet"


def test_needs_that_nobody_has_are_not_named() -> None:
    """A zero is left out."""
    assert needs_line([by_id("aktau")]) == "one has no internet"


def test_nine_are_inside_with_fourteen_ways() -> None:
    """The area of the earthquake holds nine people and fourteen addresses, each of them once."""
    ways = [way for person in inside() for way in person.addresses]

    assert (len(inside()), len(ways), len(set(ways))) == (9, 14, 14)


def test_the_cast_has_the_ways_it_needs() -> None:
    """Whoever answers can: by phone, and by the link of an e-mail; the silent one is reached by SMS only."""
    assert by_id(ANSWERS_BY_SMS).number
    assert by_id(ANSWERS_BY_LINK).mailbox
    assert by_id(NO_RECEIPT).addresses == (("sms", by_id(NO_RECEIPT).number),)


def test_the_relay_takes_them() -> None:
    """Every line of both imports is a recipient that the directory accepts."""
    guard = Guard(allow=("127.0.0.1:9",))
    lines = [*people_ndjson(hooks="http://127.0.0.1:9", secret=make_secret()).splitlines()]
    lines += next(iter(crowd_ndjson(lines=3))).splitlines()

    assert len([parse(line, guard=guard, make_secret=make_secret) for line in lines]) == 15


def test_the_crowd() -> None:
    """The crowd has as many members as it says, with a number each that no person of the twelve shares."""
    rows = [orjson.loads(line) for lines in crowd_ndjson() for line in lines.splitlines()]
    numbers = [row["addresses"][0]["value"] for row in rows]

    assert len(rows) == CROWD == len(set(numbers))
    assert all(number.startswith(CROWD_PREFIX) and len(number) == 12 for number in numbers)
    assert not any(person.number.startswith(CROWD_PREFIX) for person in PEOPLE)
    assert numbers[QUICK - 1] == crowd_number(QUICK - 1)
    assert len({(row["location"]["lat"], row["location"]["lon"]) for row in rows[:QUICK]}) == 1
    assert rows[QUICK - 1]["location"] != rows[QUICK]["location"]


def test_nobody_else() -> None:
    """An id that is not in the cast is an error."""
    with pytest.raises(KeyError):
        by_id("crowd-00000")
