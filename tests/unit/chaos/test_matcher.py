"""The judge's own matcher, case by case: it must be right where it is alone with its opinion."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.matcher import readers, reads
from tests.unit.chaos.histories import alert, person


def placed(**area: Any) -> dict[str, Any]:
    document = alert(1)
    document["info"][0]["area"] = [{"areaDesc": "there", **area}]
    return document


@pytest.mark.parametrize(
    ("area", "inside"),
    [
        ({"polygon": ["43,76 43,78 44,78 44,76 43,76"]}, True),
        ({"polygon": ["43,76 43,76.5 44,76.5 44,76 43,76"]}, False),
        ({"polygon": ["43,76 44,76 44,78 43.3,77 43,78 43,76"]}, True),
        ({"polygon": ["43,76 44,76 44,78 43.19,76.7 43,78 43,76"]}, False),
        ({"circle": ["43.2,76.9 1"]}, True),
        ({"circle": ["43.3,76.9 11"]}, False),
        ({"circle": ["43.3,76.9 11.2"]}, True),
        ({"geocode": [{"valueName": "ISO3166-2", "value": "KZ-75"}]}, True),
        ({"geocode": [{"valueName": "ISO3166-2", "value": "KZ-11"}]}, False),
        ({}, False),
    ],
    ids=[
        "box",
        "beside",
        "notched",
        "in the notch",
        "circle",
        "11.1 km off",
        "just in",
        "province",
        "another",
        "nowhere",
    ],
)
def test_places(area: dict[str, Any], inside: bool) -> None:
    """A person at 43.2 north, 76.9 east is in, or not."""
    assert (reads(placed(**area), person(1)) is not None) is inside


def test_wishes() -> None:
    """Least severity, hazards and drills are kept."""
    people = [
        person(1, min_severity="Severe"),
        person(2, min_severity="Extreme"),
        person(3, hazards=["Geo"]),
        person(4, hazards=["Geo", "Met"]),
        person(5, drills=True),
    ]
    exercise = {**alert(1), "status": "Exercise"}

    assert set(readers(alert(1), people)) == {"p1", "p4", "p5"}
    assert set(readers(exercise, people)) == {"p5"}


def test_words() -> None:
    """First language first, then the worst, then the order in the document."""
    document = alert(1)
    base = document["info"][0]
    document["info"] = [
        base,
        {**base, "language": "ru"},
        {**base, "language": "en-GB", "severity": "Extreme"},
        {**base, "language": "kk", "area": []},
    ]
    people = [person(1), person(2, languages=["ru", "en"]), person(3, languages=["kk"]), person(4, languages=["tg"])]

    assert readers(document, people) == {"p1": 2, "p2": 1, "p3": 2, "p4": 2}
