from __future__ import annotations

import math

import pytest

from tests.unit.cap.samples import POLYGON, read, refused, rules, with_

RESOURCE = "<resource><resourceDesc>map</resourceDesc><mimeType>image/png</mimeType>{}</resource><area>"


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (with_(POLYGON, "43,76 44,77 43,77 44,76 43,76"), "CAP-033"),
        (with_(POLYGON, "43,76 43.5,76.5 44,77 43,76"), "CAP-030"),
        (with_(POLYGON, "65,179 65,190 67,190 65,179"), "CAP-032"),
        (with_("</area>", "<circle>43,76 0</circle></area>"), "CAP-035"),
        (with_(f"<polygon>{POLYGON}</polygon>", ""), "CAP-039"),
        (with_("</area>", "<ceiling>100</ceiling></area>"), "CAP-038"),
        (with_("</area>", "<altitude>100</altitude><ceiling>50</ceiling></area>"), "CAP-038"),
        (with_("</area>", "<altitude>low</altitude></area>"), "CAP-038"),
    ],
    ids=["bow-tie", "flat", "antimeridian", "point", "no-geometry", "ceiling", "ceiling-below", "altitude"],
)
def test_warning(document: str, rule: str) -> None:
    """What can still be used is accepted with a warning."""
    assert rules(read(document).findings) == [(rule, "warning")]


def test_ring_over_the_antimeridian_is_not_crossed() -> None:
    """A ring that jumps from 179 to -179 only looks crossed; a large honest ring is not crossed either."""
    ring = [(45 + math.sin(i / 50) * 2, 70 + math.cos(i / 50) * 2) for i in range(314)]
    text = " ".join(f"{lat:.5f},{lon:.5f}" for lat, lon in [*ring, ring[0]])

    assert read(with_(POLYGON, "65,179 65,-179 67,-179 66,178 67,179 65,179")).findings == ()
    assert read(with_(POLYGON, text)).findings == ()


@pytest.mark.parametrize(
    "part",
    [
        "<uri>file:///etc/passwd</uri>",
        "<uri>javascript:alert(1)</uri>",
        "<derefUri>###</derefUri>",
        f"<derefUri>{'A' * 900_000}</derefUri>",
    ],
)
def test_dangerous_resource_is_refused(part: str) -> None:
    """BI-132: addresses that run something, and content that is no bounded base64, are not passed on."""
    assert refused(with_("<area>", RESOURCE.format(part))).slug == "resource-not-allowed"


def test_ordinary_resource_is_kept() -> None:
    """A resource is kept and never fetched."""
    part = "<size>3</size><uri>https://meteo.example/map.png</uri><derefUri>QUJD\n</derefUri>"

    parsed = read(with_("<area>", RESOURCE.format(part)))

    assert parsed.findings == ()
    assert parsed.alert.info[0].resource[0].deref_uri == "QUJD"
