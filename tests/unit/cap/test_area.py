"""Areas as shapes: rings, circles, the antimeridian, the poles."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.cap.area import Shape, distance_km, geocode_key, polygon_geometry, shape_of
from relay.cap.model import Area, Circle, Pair, Polygon

POINT_KM = 10.0


def ring(*points: tuple[float, float]) -> Polygon:
    return Polygon(points, "as written")


def shape(*parts: Polygon | Circle | Pair) -> Shape:
    area = Area(
        area_desc="somewhere",
        polygons=tuple(part for part in parts if isinstance(part, Polygon)),
        circles=tuple(part for part in parts if isinstance(part, Circle)),
        geocodes=tuple(part for part in parts if isinstance(part, Pair)),
    )
    return shape_of([area], point_radius_km=POINT_KM)


def inside(one: Shape, *places: tuple[float, float]) -> list[bool]:
    lats = np.array([lat for lat, _ in places], np.float64)
    lons = np.array([lon for _, lon in places], np.float64)
    return [bool(hit) for hit in one.contains(lats, lons)]


SQUARE = ring((42, 76), (42, 78), (44, 78), (44, 76), (42, 76))


def test_square() -> None:
    """Latitude comes first, as CAP writes it."""
    assert inside(shape(SQUARE), (43, 77), (77, 43), (43, 79), (41, 77)) == [True, False, False, False]


def test_border_and_corner_count_as_inside() -> None:
    """Who stands on the line is warned."""
    assert inside(shape(SQUARE), (42, 77), (43, 76), (44, 78), (42, 76)) == [True] * 4


def test_place_that_is_not_known_lies_nowhere() -> None:
    """A recipient without a location is in no polygon and no circle, however large."""
    everywhere = shape(SQUARE, Circle(0, 0, 30_000, ""))

    assert inside(everywhere, (math.nan, math.nan), (43, 77)) == [False, True]


def test_open_ring_is_closed() -> None:
    """A ring whose last pair is missing encloses the same places."""
    assert inside(shape(ring((42, 76), (42, 78), (44, 78), (44, 76))), (43, 77), (43, 79)) == [True, False]


@pytest.mark.parametrize(
    "points",
    [(), ((42, 76),), ((42, 76), (43, 77), (42, 76)), ((42, 76),) * 5, ((42, 76), (43, 77), (44, 78), (42, 76))],
)
def test_ring_without_area_matches_nobody(points: tuple[tuple[float, float], ...]) -> None:
    """Too few points, equal points and a line enclose nothing, and nothing is never widened."""
    degenerate = shape(ring(*points))

    assert degenerate.is_empty
    assert inside(degenerate, (42, 76), (43, 77)) == [False, False]


def test_bow_tie_keeps_both_lobes() -> None:
    """A self-crossing ring matches what either lobe encloses, and not what neither does."""
    bow = shape(ring((0, 0), (2, 2), (2, 0), (0, 2), (0, 0)))

    assert inside(bow, (1, 0.5), (1, 1.5), (0.5, 1), (1.5, 1)) == [False, False, True, True]


def test_ring_that_overlaps_itself_has_no_hole() -> None:
    """A place that the ring goes around twice is inside."""
    twice = shape(ring((0, 0), (0, 4), (4, 4), (4, 1), (1, 1), (1, 3), (3, 3), (3, 0), (0, 0)))

    assert inside(twice, (2, 2), (0.5, 0.5), (3.5, 0.5)) == [True, True, False]


@pytest.mark.parametrize(
    "chukotka",
    [
        ring((64, 177), (64, 185), (68, 185), (68, 177), (64, 177)),
        ring((64, 177), (64, -175), (68, -175), (68, 177), (64, 177)),
        ring((64, -183), (64, -175), (68, -175), (68, -183), (64, -183)),
        ring((64, 177), (64, 180), (64, -180), (64, -175), (68, -175), (68, -180), (68, 180), (68, 177), (64, 177)),
        ring((64, -175), (68, -175), (68, 177), (64, 177)),
    ],
    ids=["beyond 180", "jump", "beyond -180", "written along the line", "open"],
)
def test_ring_over_the_antimeridian(chukotka: Polygon) -> None:
    """Every way of writing a ring over the antimeridian matches both sides of it and nothing else."""
    hits = inside(shape(chukotka), (66, 178), (66, -176), (66, 180), (66, -180), (66, 0), (66, -174), (66, 176))

    assert hits == [True, True, True, True, False, False, False]


def test_ring_that_ends_at_the_antimeridian() -> None:
    """The antimeridian has two names, 180 and -180, and both are the border."""
    assert inside(shape(ring((0, 170), (0, 180), (5, 180), (5, 170))), (2, 180), (2, -180), (2, -179)) == [
        True,
        True,
        False,
    ]


def test_many_turns_of_longitude() -> None:
    """A ring written turns away (GDACS does so) comes back to where it is."""
    assert inside(shape(ring((42, 436), (42, 438), (44, 438), (44, 436))), (43, 77), (43, 79)) == [True, False]


@pytest.mark.parametrize(("sign", "other"), [(1, -80), (-1, 80)])
def test_ring_around_a_pole(sign: int, other: float) -> None:
    """A ring that goes once around a pole encloses the pole it is near."""
    cap = shape(ring(*((sign * 70, lon) for lon in (-150, -60, 30, 120, -150))))

    assert inside(cap, (sign * 90, 0), (sign * 80, 179), (sign * 71, -180), (sign * 60, 30), (other, 0)) == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_box_of_the_whole_world() -> None:
    """A box from -180 to 180 is the world, not a line."""
    world = shape(ring((-90, -180), (-90, 180), (90, 180), (90, -180), (-90, -180)))

    assert inside(world, (0, 0), (43, 77), (-60, -170), (0, 180)) == [True] * 4


def test_sliver_along_the_antimeridian_does_not_grow_around_the_world() -> None:
    """Points that all lie on the antimeridian enclose nothing, under whichever name they are written."""
    assert shape(ring((64, 180), (66, -180), (68, 180), (64, 180))).is_empty


def test_hopeless_tangle_costs_little_and_matches_nobody() -> None:
    """A ring of random points cannot hold the relay up: it is given up before it is untangled."""
    chance = np.random.default_rng(3)
    noise = ring(*((float(lat), float(lon)) for lat, lon in chance.uniform((40, 70), (45, 80), (100_000, 2))))

    before = time.process_time()
    tangle = shape(noise)

    assert tangle.is_empty
    assert time.process_time() - before < 10


def test_long_border_that_crosses_itself_here_and_there_is_kept() -> None:
    """A surveyed border of thousands of points with some slips is repaired, not given up."""
    chance = np.random.default_rng(4)
    angles = np.sort(chance.uniform(0, 2 * math.pi, 5_000)) + chance.normal(0, 0.001, 5_000)
    border = ring(*((float(43 + 3 * math.sin(a)), float(75 + 5 * math.cos(a))) for a in angles))

    assert inside(shape(border), (43, 75), (45.9, 75), (46.1, 75)) == [True, True, False]


def test_union_of_polygons_circles_and_areas() -> None:
    """Everything in one info is a union; overlapping pieces are allowed."""
    one = shape_of(
        [
            Area(area_desc="a", polygons=(SQUARE, ring((43, 77), (43, 80), (45, 80), (45, 77), (43, 77)))),
            Area(area_desc="b", circles=(Circle(50, 70, 100, ""),)),
        ],
        point_radius_km=POINT_KM,
    )

    assert inside(one, (42.5, 76.5), (44.5, 79), (50.5, 70), (47, 73)) == [True, True, True, False]


def test_circle_is_in_kilometres() -> None:
    """At 60° north a degree of longitude is half as long: a circle is not an ellipse of degrees."""
    one = shape(Circle(60, 30, 100, ""))
    degree = 111.195

    assert inside(one, (60 + 99 / degree, 30), (60 + 101 / degree, 30)) == [True, False]
    assert inside(one, (60, 30 + 2 * 99 / degree), (60, 30 + 2 * 101 / degree)) == [True, False]


def test_known_distance() -> None:
    """Almaty to Bishkek is about 195 km."""
    assert distance_km(43.238, 76.889, np.array([42.875]), np.array([74.570]))[0] == pytest.approx(193, abs=3)


def test_circle_over_antimeridian_and_pole() -> None:
    """A circle does not end at the edges of the map."""
    assert inside(shape(Circle(66, 179, 200, "")), (66, -179), (66, 176), (66, 170)) == [True, True, False]
    assert inside(shape(Circle(66, 541, 200, "")), (66, -179), (66, 170)) == [True, False]
    assert inside(shape(Circle(89.5, 0, 120, "")), (89.6, 180), (90, 0), (89, -90), (88, 180)) == [
        True,
        True,
        False,
        False,
    ]


def test_radius_zero_is_a_point_with_the_set_radius() -> None:
    """A circle of radius 0 reaches as far as the setting says; a negative one nobody."""
    assert inside(shape(Circle(43, 77, 0, "")), (43.08, 77), (43.1, 77)) == [True, False]
    assert shape(Circle(43, 77, -1, "")).is_empty


def test_geocodes_compare_schemes_without_case() -> None:
    """A scheme's case does not matter, a value's does."""
    assert shape(Pair("iso3166-2 ", "KZ-75")).geocodes == {geocode_key("ISO3166-2", "KZ-75")}
    assert geocode_key("ISO3166-2", "kz-75") != geocode_key("ISO3166-2", "KZ-75")
    assert shape(Pair("x", "")).is_empty


def test_area_with_only_a_description_is_empty() -> None:
    """An area that says nothing comparable matches nobody."""
    empty = shape_of([Area(area_desc="the whole country")], point_radius_km=POINT_KM)

    assert empty.is_empty
    assert inside(empty, (43, 77)) == [False]


def test_geometry_is_longitude_first_and_in_range() -> None:
    """The geometry handed to others is normalised."""
    assert polygon_geometry(SQUARE).bounds == (76, 42, 78, 44)
    assert polygon_geometry(ring((64, 177), (64, 185), (68, 185), (68, 177))).bounds == (-180, 64, 180, 68)


degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@settings(max_examples=150, deadline=None)
@given(points=st.lists(st.tuples(st.floats(-90, 90), st.floats(-720, 720)), max_size=12), place=degrees)
def test_any_ring_is_survived_and_never_wider_than_drawn(
    points: list[tuple[float, float]], place: tuple[float, float]
) -> None:
    """Whatever is written, matching answers, and nobody outside the ring's band of latitudes is matched.

    A ring around a pole is the exception: it reaches to the pole.
    """
    one = shape(ring(*points))
    geometry = polygon_geometry(ring(*points))

    hit = inside(one, place)[0]

    assert geometry.is_valid
    if hit:
        lats = [lat for lat, _ in points]
        polar = min(map(abs, lats)) >= 45
        assert polar or min(lats) - 1e-8 <= place[0] <= max(lats) + 1e-8


def test_step_of_half_the_world_is_not_filled_to_a_pole() -> None:
    """A ring with one far-off point once enclosed everything down to the south pole."""
    slip = shape(ring((-2, 0), (34, 1), (0, 181), (0, 0), (-23, 0), (-6, 0), (-3, 0)))

    assert inside(slip, (-24, 0), (-60, 90)) == [False, False]


def test_many_places_have_the_same_answer_as_few() -> None:
    """The quick way for a million places agrees with the plain way, over the antimeridian too."""
    chukotka = shape(ring((64, 177), (66, 178), (64, 185), (68, 184), (67, 180), (68, 177)), Circle(65, 170, 90, ""))
    chance = np.random.default_rng(5)
    lats, lons = chance.uniform(63.5, 68.5, 1_200_000), (chance.uniform(176, 186, 1_200_000) + 180) % 360 - 180

    together = chukotka.contains(lats, lons)

    some = slice(0, 20_000)
    assert np.array_equal(together[some], chukotka.contains(lats[some], lons[some]))
    assert 0.2 < together.mean() < 0.8
