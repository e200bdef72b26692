"""Jurisdictions: an alert stays inside its key's territory, or it is said so."""

from __future__ import annotations

import pytest

from relay.cap.model import Area, Info
from relay.errors import InvalidInput
from relay.intake.jurisdiction import Fit, Placing, place, read_jurisdiction
from tests.unit.intake.conftest import MakeAlert, area

ALMATY = "42.5,76,44,78.5"
INSIDE = "43,76.5 43.5,76.5 43.5,77 43,76.5"
ACROSS = "43,76.5 43.5,76.5 43.5,79 43,76.5"
SWAPPED = "76.5,43 76.5,43.5 77,43.5 76.5,43"
FIJI = "-20,175,-15,-178"


def fit(make_alert: MakeAlert, *areas: Area, key: str = ALMATY) -> Placing:
    shape = read_jurisdiction(key)
    assert shape is not None
    return place(make_alert(areas=areas), shape)


@pytest.mark.parametrize(
    "text",
    [
        ALMATY,
        " 42.5, 76, 44 ,78.5 ",
        "42.5,76 44,76 44,78.5 42.5,78.5 42.5,76",
        "42.5,76 44,76 44,78.5 42.5,78.5",
        "42.5,76 44,76 44,77 42.5,77;42.5,77 44,77 44,78.5 42.5,78.5;",
        '{"type":"Polygon","coordinates":[[[76,42.5],[78.5,42.5],[78.5,44],[76,44],[76,42.5]]]}',
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":'
        '{"type":"Polygon","coordinates":[[[76,42.5],[78.5,42.5],[78.5,44],[76,44],[76,42.5]]]}}]}',
    ],
)
def test_ways_to_write_a_territory(text: str) -> None:
    """A box, CAP polygons and GeoJSON describe the same territory."""
    shape = read_jurisdiction(text)

    assert shape is not None
    assert shape.bounds == (76, 42.5, 78.5, 44)
    assert shape.area == pytest.approx(3.75)


def test_no_text_means_everywhere() -> None:
    """A key without an area has no borders."""
    assert read_jurisdiction("") is None
    assert read_jurisdiction("  ") is None


@pytest.mark.parametrize(
    "text",
    ["Almaty", "44,76,42,78", "42,76,44", "42,76,95,78", "42,76,42,78", "43,76 44,77", "95,76 96,77 97,78", "{", "{}", ";",
     "43,76 44,77 nowhere"],
)  # fmt: skip
def test_what_is_no_territory_is_refused(text: str) -> None:
    """A territory that cannot be read is refused with the way to write one."""
    with pytest.raises(InvalidInput, match="south,west,north,east") as caught:
        read_jurisdiction(text)
    assert caught.value.slug == "bad-area"


def test_inside(make_alert: MakeAlert) -> None:
    """Polygons and circles wholly inside are inside; touching the border is inside."""
    assert fit(make_alert, area(polygons=(INSIDE,), circles=("43.24,76.9 20",))).fit is Fit.INSIDE
    assert fit(make_alert, area(polygons=("42.5,76 44,76 44,78.5 42.5,78.5 42.5,76",))).fit is Fit.INSIDE
    assert fit(make_alert).fit is Fit.INSIDE


@pytest.mark.parametrize(
    ("outside", "path", "pair"),
    [
        (area(polygons=(INSIDE, ACROSS)), "/alert/info[1]/area[2]/polygon[2]", "43,76.5"),
        (area(circles=("43.24,76.9 200",)), "/alert/info[1]/area[2]/circle[1]", "43.24,76.9"),
        (area(circles=("10,10 0",)), "/alert/info[1]/area[2]/circle[1]", "10,10"),
        (area(polygons=("50,80 50,80.5 50,81 50,80",)), "/alert/info[1]/area[2]/polygon[1]", "50,80"),
    ],
)
def test_a_part_outside(make_alert: MakeAlert, outside: Area, path: str, pair: str) -> None:
    """One shape that reaches over the border is enough, also a circle's rim or a flat ring; it is named."""
    placing = fit(make_alert, area(polygons=(INSIDE,)), outside)

    assert (placing.fit, placing.path, placing.pair) == (Fit.OUTSIDE, path, pair)


def test_swapped_coordinates(make_alert: MakeAlert) -> None:
    """When every pair lies outside and every one fits as lon,lat, the order is wrong, and the right one is shown."""
    placing = fit(make_alert, area(polygons=(SWAPPED,), circles=("76.9,43.24 5",)))

    assert (placing.fit, placing.path) == (Fit.SWAPPED, "/alert/info[1]/area[1]/polygon[1]")
    assert (placing.pair, placing.swapped) == ("76.5,43", "43,76.5")
    assert placing.shape is not None
    assert placing.shape.text == SWAPPED


@pytest.mark.parametrize(
    "mixed",
    [
        area(polygons=(SWAPPED, INSIDE)),
        area(polygons=(SWAPPED,), circles=("10,10 5",)),
        area(polygons=("76.5,43 76.5,43.5 70,43.5 76.5,43",)),
    ],
)
def test_only_a_whole_swap_is_a_swap(make_alert: MakeAlert, mixed: Area) -> None:
    """When some pairs fit as they are, or some fit neither way, it is an area outside, not a hint."""
    assert fit(make_alert, mixed).fit is Fit.OUTSIDE


def test_a_square_territory_never_hints(make_alert: MakeAlert) -> None:
    """Where both orders fit, the alert is inside."""
    assert fit(make_alert, area(circles=("44,43 10",)), key="40,40,50,50").fit is Fit.INSIDE


def test_geocodes_cannot_be_compared(make_alert: MakeAlert) -> None:
    """An area of geocodes only is unknown; beside a polygon the polygon speaks."""
    unknown = fit(make_alert, area(polygons=(INSIDE,)), area(geocodes=("KZ-75",)))

    assert (unknown.fit, unknown.path) == (Fit.UNKNOWN, "/alert/info[1]/area[2]")
    assert fit(make_alert, area(polygons=(INSIDE,), geocodes=("KZ-75",))).fit is Fit.INSIDE
    assert fit(make_alert, area(geocodes=("KZ-75",)), area(polygons=(ACROSS,))).fit is Fit.OUTSIDE


def test_over_the_antimeridian(make_alert: MakeAlert) -> None:
    """A territory and an alert that cross longitude 180 are compared as they lie on the Earth."""
    ring = "-18,178 -18,181 -17,181 -17,178 -18,178"

    assert fit(make_alert, area(polygons=(ring,), circles=("-17,179.9 50",)), key=FIJI).fit is Fit.INSIDE
    assert fit(make_alert, area(circles=("-17,-170 50",)), key=FIJI).fit is Fit.OUTSIDE


def test_every_info_counts(make_alert: MakeAlert) -> None:
    """An area of the second info is looked at too."""
    alert = make_alert(areas=(area(polygons=(INSIDE,)),))
    second = Info(
        category=("Met",), event="e", urgency="Past", severity="Minor", certainty="Likely",
        area=(area(polygons=(ACROSS,)),),
    )  # fmt: skip
    shape = read_jurisdiction(ALMATY)
    assert shape is not None

    placing = place(make_alert(info=(*alert.info, second)), shape)

    assert placing.path == "/alert/info[2]/area[1]/polygon[1]"
