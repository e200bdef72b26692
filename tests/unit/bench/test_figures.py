"""Figures are written as design §17 says, and judged by every target they have."""

from __future__ import annotations

import pytest

from bench.figures import Figure, Target, document, short, table, words

RATE = Target(limit=80_000, unit="deliveries/s")
LEAST = Target(limit=25, unit="ms", most=True)


def figure(value: float | None, *, directory: float = 500) -> Figure:
    return Figure(
        name="E2",
        what="bytes",
        value=value,
        target=Target(limit=30, unit="bytes", most=True),
        beside={"directory": directory},
        conditions={"directory": Target(limit=600, unit="bytes", most=True)},
    )


@pytest.mark.parametrize(
    ("target", "value", "met"), [(RATE, 80_000, True), (RATE, 79_999, False), (LEAST, 25, True), (LEAST, 25.1, False)]
)
def test_a_target_is_reached_at_its_limit(target: Target, value: float, met: bool) -> None:
    """At least, or at most: the limit itself is good."""
    assert target.met(value) is met


def test_every_further_target_counts() -> None:
    """A figure is good when its own target and all others are reached, and never when it was not measured."""
    assert [figure(29).ok, figure(31).ok, figure(29, directory=601).ok, figure(None).ok] == [True, False, False, False]


def test_document_has_the_shape_of_the_design() -> None:
    """``figures`` by name with value, target, ok, unit and beside."""
    written = document([figure(31)], machine={"memory": "1 GiB"})

    assert written == {
        "machine": {"memory": "1 GiB"},
        "figures": {
            "E2": {
                "what": "bytes",
                "value": 31,
                "target": "≤ 30 bytes",
                "ok": False,
                "unit": "bytes",
                "spread": None,
                "beside": {"directory": 500, "targets": {"directory": "≤ 600 bytes"}},
            }
        },
    }


def test_table_tells_people_what_was_measured_and_what_was_not() -> None:
    """One line a figure, and below it what was measured beside it."""
    said = table([figure(31, directory=601.5), figure(None)])

    assert "E2  ✗ 31 bytes" in said
    assert "directory" in said
    assert "602 bytes" not in said
    assert "601.5   target ≤ 600 bytes" in said
    assert "not measured" in said


@pytest.mark.parametrize(
    ("number", "text"), [(80_000, "80,000"), (1234.5, "1,234"), (123.45, "123.5"), (0.7551, "0.755"), (0.0, "0")]
)
def test_numbers_are_short(number: float, text: str) -> None:
    """Three or four digits are enough."""
    assert short(number) == text


def test_nested_values_are_said_in_one_line() -> None:
    """Lists and tables of numbers stay readable."""
    assert words({"worker": [1, 2.5], "api": "idle"}) == "worker 1 · 2.5, api idle"


def test_several_runs_are_shown_with_their_spread() -> None:
    """The value is the middle one; the table and the file say how far the runs lie apart."""
    taken = Figure(name="E1", what="engine", value=2, target=RATE, samples=[1, 2, 9])

    assert taken.to_dict()["spread"] == {"min": 1, "median": 2, "max": 9, "runs": 3}
    assert "(runs 1 to 9)" in table([taken])
    assert "(runs" not in table([Figure(name="E1", what="engine", value=2, target=RATE, samples=[2])])


def test_a_condition_that_was_not_measured_is_missed() -> None:
    """What nobody looked at is not reached."""
    assert not Figure(name="E1", what="x", value=90_000, target=RATE, conditions={"times_arq": RATE}).ok
