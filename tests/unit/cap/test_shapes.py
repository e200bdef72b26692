from __future__ import annotations

import pytest

from relay.cap.model import Circle
from relay.cap.shapes import count_vertices, read_circle, read_polygon, swap

RING = "43.1,76.6 43.1,77.2 43.4,77.2 43.1,76.6"


def keys(text: str) -> list[str]:
    return [problem.key for problem in read_polygon(text).problems]


def test_ring_is_read() -> None:
    """CAP-030: pairs are latitude, longitude; any whitespace stands between pairs."""
    reading = read_polygon("43.1,76.6\n43.1,77.2   43.4,77.2\t43.1,76.6")

    assert reading.polygon is not None
    assert reading.polygon.points == ((43.1, 76.6), (43.1, 77.2), (43.4, 77.2), (43.1, 76.6))
    assert reading.polygon.text == RING
    assert reading.problems == ()


def test_open_ring_is_closed() -> None:
    """BI-165: an open ring of three points is closed, and that is said."""
    reading = read_polygon("43.1,76.6 43.1,77.2 43.4,77.2")

    assert reading.polygon is not None
    assert reading.polygon.points[0] == reading.polygon.points[-1]
    assert [problem.key for problem in reading.problems] == ["polygon-open"]


@pytest.mark.parametrize("text", ["43,76 43,76 43,76 43,76", "43,76 44,77 43,76", "43,76 43.0,76.0 44,77 43,76"])
def test_two_points_are_no_ring(text: str) -> None:
    """CAP-030: fewer than three different points are refused."""
    assert keys(text) == ["polygon-points"]


@pytest.mark.parametrize(
    "bad",
    [
        "NaN,NaN",
        "1e400,0",
        "0x10,0",
        "१२,३४",
        "12;34",
        "inf,0",
        "43",
        "43,",
        ",43",
        "1,2,3",
        "1_0,2",
        "--1,2",
        "1.2.3,4",
        "9" * 10_000 + ",1",
        "1," + "1" * 100,
        "(43,76)",
        "43 , 76",
        ".,1",
        "-,1",
    ],
)
def test_bad_numbers_are_refused(bad: str) -> None:
    """BI-166, BI-171: only plain decimal ASCII numbers of sane length are numbers."""
    reading = read_polygon(f"{RING} {bad}")

    assert reading.polygon is None
    assert [problem.key for problem in reading.problems] == ["polygon-form"]


@pytest.mark.parametrize("good", ["+43.10,+76.6", "043.1,076.6", "43.,76.6", ".5,76.6"])
def test_odd_but_plain_numbers_are_read(good: str) -> None:
    """Signs, leading zeros and a bare point are plain numbers (real feeds have them)."""
    assert read_polygon(f"43.2,76.6 43.1,77.2 {good} 43.2,76.6").polygon is not None


def test_swapped_pair_gets_a_hint() -> None:
    """CAP-031: a latitude beyond 90 that would fit as a longitude is called by its name, with the right order."""
    problem = read_polygon("135.1,48.4 135.2,48.4 135.2,48.6 135.1,48.4").problems[0]

    assert problem.key == "latitude"
    assert problem.values == {"pair": "135.1,48.4", "swapped": "48.4,135.1"}


@pytest.mark.parametrize("text", ["91,95 1,1 2,2 91,95", "43,541 43,1 44,2 43,541"])
def test_place_off_the_earth_is_refused(text: str) -> None:
    """CAP-031: what is no place in either order is refused without a hint."""
    assert keys(text) == ["position"]


def test_longitude_over_the_antimeridian_is_kept() -> None:
    """CAP-032: longitudes up to 540 go on over the 180th meridian and are kept as written."""
    reading = read_polygon("65,179 65,190 67,190 65,179")

    assert reading.polygon is not None
    assert reading.polygon.points[1] == (65.0, 190.0)
    assert [problem.key for problem in reading.problems] == ["beyond"]


def test_circle_is_read() -> None:
    """CAP-035: a circle is latitude, longitude and kilometres; radius 0 is a point."""
    assert read_circle("43.24,76.89  40").circle == Circle(43.24, 76.89, 40.0, "43.24,76.89 40")
    assert read_circle("43.24,76.89 0").circle is not None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("43,76", "circle-form"),
        ("43,76 inf", "circle-form"),
        ("43,76 -1", "circle-radius"),
        ("43,76 25000", "circle-radius"),
        ("43,76 1e9", "circle-form"),
        ("76", "circle-form"),
        ("99,43 5", "latitude"),
        ("99,99 5", "position"),
        ("43,76 5km", "circle-form"),
    ],
)
def test_bad_circle_is_refused(text: str, key: str) -> None:
    """BI-174: a negative, absurd, infinite or missing radius, and a centre off the Earth, are refused."""
    assert read_circle(text).circle is None
    assert [problem.key for problem in read_circle(text).problems] == [key]


def test_points_are_counted_without_reading() -> None:
    """Counting is cheap and does not need good numbers."""
    assert count_vertices("a,b c,d") == 2
    assert swap("76.90,43.24") == "43.24,76.90"
