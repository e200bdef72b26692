"""How long matching takes: the relay's own ``match`` over its own index of recipients that do not exist.

``python -m bench.targeting RECIPIENTS RUNS`` prints, for each case, the milliseconds of each run as JSON.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.alerts import P3, cap
from bench.people import CITY, Crowd
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.cap.parse import parse_xml
from relay.directory.columns import Columns
from relay.directory.egress import Guard
from relay.directory.index import Index
from relay.directory.recipient import parse
from relay.directory.targeting import match

POINTS = (50, 41_009)
PARTS = (1.0, 0.1)
SEED = 20_250_301
_WAVES = 400
_RADIUS = 3.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees: what a polygon just fits into."""

    south: float
    north: float
    west: float
    east: float


def ring(points: int, *, seed: int) -> Floats:
    """Return a ragged ring of so many points around a place, as (latitude, longitude); it never crosses itself.

    Its radius is a sum of waves, the shorter the lower, as a border is; as a function of the angle it cannot cross.
    """
    random = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * math.pi, points, endpoint=False)
    radius = np.ones(points)
    for wave in range(2, min(_WAVES, points // 4)):
        radius += 0.25 / wave**1.3 * np.sin(wave * angles + random.uniform(0, 2 * math.pi))
    radius = _RADIUS * np.clip(radius, 0.3, None)
    return np.column_stack((CITY.lat + radius * np.sin(angles), CITY.lon + radius * np.cos(angles)))


def alert_of(corners: Floats) -> Alert:
    """Return an alert for a ring, as the relay reads it from CAP."""
    closed = np.vstack((corners, corners[:1]))
    text = " ".join(f"{lat:.5f},{lon:.5f}" for lat, lon in closed)
    return parse_xml(cap("ring", P3, text, now=datetime.now(UTC)), charset=None, limits=Limits(), strict=False).alert


def index_of(count: int, box: Box, *, inside: float, seed: int) -> Index:
    """Return an index of ``count`` recipients: the part ``inside`` evenly in the box, the others north of it."""
    line = next(Crowd(count=1, prefix="x", kind="sms", address="+77010000000").lines())
    guard = Guard(allow=(), own=())
    index = Index()
    index.upsert(0, parse(line, guard=guard, make_secret=lambda: "").recipient, denied=0)
    state = index.dump()
    columns = Columns(
        **{field.name: np.repeat(getattr(state.columns, field.name)[:1], count, axis=0) for field in fields(Columns)}
    )
    random = np.random.default_rng(seed)
    within = random.random(count) < inside
    columns.lat[:] = np.where(
        within, random.uniform(box.south, box.north, count), random.uniform(box.north + 1, box.north + 7, count)
    )
    columns.lon[:] = random.uniform(box.west, box.east, count)
    return Index.restore(replace(state, columns=columns))


def measure(count: int, runs: int) -> dict[str, list[float]]:
    """Return the milliseconds of each run by case, ``<points> points, <per cent> % in the box``."""
    found: dict[str, list[float]] = {}
    for points in POINTS:
        corners = ring(points, seed=SEED)
        (south, west), (north, east) = corners.min(axis=0), corners.max(axis=0)
        for part in PARTS:
            index = index_of(count, Box(south, north, west, east), inside=part, seed=SEED)
            # A ring of its own for each run, so that nothing kept from one run helps the next.
            alerts = [alert_of(corners + 1e-4 * number) for number in range(runs + 1)]
            found[case(points, part)] = [_run(index, alert) for alert in alerts][1:]
    return found


def case(points: int, part: float) -> str:
    """Return the name of a case."""
    return f"{points:,} points, {part:.0%} in the box"


def _run(index: Index, alert: Alert) -> float:
    began = time.perf_counter()
    match(index, alert, point_radius_km=10.0, drill=False)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
