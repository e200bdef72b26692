"""What the first scene makes of the relay's words and the receivers' sight."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relay.demo.earthquake import Line, accepted, after, judge, languages, lines_of, readable, truth
from relay.demo.people import PEOPLE, Person, by_id, inside
from relay.demo.receivers import Arrival, compare, ways
from relay.demo.relay_client import Posted

TEXT = {"ru": "ЗЕМЛЕТРЯСЕНИЕ", "kk": "ЖЕР СІЛКІНІСІ", "en": "EARTHQUAKE"}
GOOD = Posted(
    status=202,
    body={"id": "a", "state": "accepted", "priority": "P0", "durability": {"journal": "fsync"}},
    took=0,
    at=0,
)


def arrived(person: Person, kind: str, address: str) -> Arrival:
    signed = True if kind == "webhook" else None
    return Arrival(kind=kind, address=address, text=TEXT[readable(person)], parts=2, signed=signed)


def all_lines() -> list[Line]:
    lines = []
    for person in inside():
        for kind, address in person.addresses:
            line = Line(person=person, kind=kind, state="", after=0.2, arrival=arrived(person, kind, address))
            lines.append(replace(line, state=truth(line)))
    return lines


def judged(lines: list[Line]) -> list[str]:
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.state] = counts.get(line.state, 0) + 1
    seen = [line.arrival for line in lines if line.arrival is not None]
    alert: dict[str, Any] = {"counts": counts, "deliveries": len(lines)}
    verdict = judge(alert, lines, compare(ways(inside()), seen), faults=())
    return verdict.broken


def test_all_as_promised() -> None:
    """Nine people by fourteen ways, two answers, one without a receipt, e-mails that nobody confirms."""
    assert judged(all_lines()) == []


def change(what: str, lines: list[Line]) -> list[Line]:
    first, rest = lines[0], lines[1:]
    assert first.arrival is not None
    match what:
        case "nothing came":
            return [replace(first, arrival=None), *rest]
        case "called delivered without a word":
            at = next(n for n, line in enumerate(lines) if line.state == "delivered_unconfirmed")
            return [*lines[:at], replace(lines[at], state="delivered"), *lines[at + 1 :]]
        case "wrong language":
            return [replace(first, arrival=replace(first.arrival, text=TEXT["en"])), *rest]
        case "wrong signature":
            at = next(n for n, line in enumerate(lines) if line.kind == "webhook")
            arrival = lines[at].arrival
            assert arrival is not None
            return [*lines[:at], replace(lines[at], arrival=replace(arrival, signed=False)), *lines[at + 1 :]]
        case _:
            return [replace(first, state="delivered"), *rest]


@pytest.mark.parametrize(
    "what",
    ["nothing came", "called delivered without a word", "wrong language", "wrong signature", "an answer not heard"],
)
def test_each_untruth_is_found(what: str) -> None:
    """One delivery that is not as promised fails the scene."""
    assert judged(change(what, all_lines()))


def test_what_no_phone_could_show_fails() -> None:
    """A part that is cut through a character is not hidden by whole counts."""
    lines = all_lines()
    seen = [line.arrival for line in lines if line.arrival is not None]
    verdict = judge({"counts": {}, "deliveries": 14}, lines, compare(ways(inside()), seen), faults=["1: half"])

    assert "a phone could not show: 1: half" in verdict.broken


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"state": "held"}, "the alert is held"),
        ({"priority": "P1"}, "the class is P1"),
        ({"durability": {"journal": "none"}}, "not on disk"),
    ],
)
def test_the_answer_is_judged(changes: dict[str, Any], says: str) -> None:
    """202 alone is not enough: accepted, flash, on disk."""
    assert accepted(GOOD).kept
    assert says in accepted(replace(GOOD, body={**GOOD.body, **changes})).broken[0]
    assert not accepted(replace(GOOD, status=503)).kept


def test_languages() -> None:
    """The table shows the language that came, and the wanted one before it when it is another."""
    talgar = by_id("talgar")

    assert languages(talgar, arrived(talgar, "sms", talgar.number)) == "ky→ru"
    assert languages(by_id("aktau"), arrived(by_id("aktau"), "sms", "")) == "ru"
    assert languages(talgar, None) == "ky→?"


def test_after() -> None:
    """The seconds run from the 202 to the time of the state; a clock's rounding never makes them negative."""
    times = {"queued": "2026-03-01T06:00:00Z", "accepted": "2026-03-01T06:00:01Z", "delivered": "2026-03-01T06:00:02Z"}
    at = 1772344800.0

    assert after({"state": "delivered", "times": times}, since=at) == 2.0
    assert after({"state": "accepted", "times": times}, since=at + 5) == 0.0
    assert after({"state": "queued", "times": {}}, since=at) == 0.0


def test_lines_keep_the_order_of_people() -> None:
    """Deliveries are shown by person and address, beside what arrived there."""
    rows = [
        {"recipient": person.id, "kind": kind, "state": "delivered", "times": {}}
        for person in reversed(inside())
        for kind, _ in person.addresses
    ]
    rescue = by_id("rescue-7")
    lines = lines_of(rows, [arrived(rescue, "sms", rescue.number)], since=0)

    assert [line.person for line in lines] == [p for p in PEOPLE if p.inside for _ in p.addresses]
    assert [line.arrival is not None for line in lines] == [True] + [False] * 13


def test_cells() -> None:
    """A row tells what a person would see, and never calls the silent number delivered."""
    rescue, bakery, hospital = by_id("rescue-7"), by_id("bakery-nan"), by_id("hospital-4")
    line = Line(person=rescue, kind="sms", state="acknowledged", after=0.2, arrival=arrived(rescue, "sms", "+7"))
    silent = Line(
        person=bakery, kind="sms", state="delivered_unconfirmed", after=5, arrival=arrived(bakery, "sms", "+7")
    )
    hook = Line(person=hospital, kind="webhook", state="delivered", after=0, arrival=arrived(hospital, "webhook", "/"))

    assert line.cells == ("Rescue squad 7", "kk", "SMS", "acknowledged", "0.2 s", TEXT["kk"], "2 parts")
    assert "not called delivered" in silent.cells[5]
    assert hook.cells[5] == "signature checked by the receiver"
    assert replace(line, arrival=None).cells[5] == "nothing"
