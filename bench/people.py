"""Recipients that do not exist, as lines of an import; places far enough apart that an alert means one of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

_LINES = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A town of the bench: everybody lives within 0.05 degrees of its middle."""

    name: str
    lat: float
    lon: float

    @property
    def polygon(self) -> str:
        """Return a square around it as CAP writes it."""
        south, north, west, east = self.lat - 0.1, self.lat + 0.1, self.lon - 0.1, self.lon + 0.1
        corners = ((south, west), (south, east), (north, east), (north, west), (south, west))
        return " ".join(f"{lat:.2f},{lon:.2f}" for lat, lon in corners)


CITY = Place("Almaty", 43.24, 76.89)
VILLAGE = Place("Turgen", 43.40, 77.59)
VALLEY = Place("Taraz", 42.90, 71.37)
TOWN = Place("Balkhash", 46.85, 74.98)
EVERYWHERE = "40.00,70.00 40.00,80.00 45.00,80.00 45.00,70.00 40.00,70.00"
"""A polygon that holds all places but the town in the north."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """``count`` recipients of one kind in one place.

    ``prefix`` begins their ids; ``address`` is a format string of ``{n}``, the recipient's number from 0; with
    ``every`` about one of that many lives in ``other``, at irregular places of the list, as in a real directory.
    ``drills``: they chose to be told of drills too.
    """

    count: int
    prefix: str
    kind: str
    address: str
    place: Place = CITY
    other: Place = VALLEY
    every: int = 0
    drills: bool = False

    def lines(self) -> Iterator[bytes]:
        """Yield the recipients as NDJSON, some hundred lines at a time."""
        for first in range(0, self.count, _LINES):
            numbers = range(first, min(first + _LINES, self.count))
            yield b"".join(orjson.dumps(self._one(n), option=orjson.OPT_APPEND_NEWLINE) for n in numbers)

    @property
    def elsewhere(self) -> int:
        """How many live in ``other``."""
        return sum(self._lives_elsewhere(n) for n in range(self.count))

    def _lives_elsewhere(self, n: int) -> bool:
        return bool(self.every) and zlib.crc32(b"%d" % n) % self.every == 0

    def _one(self, n: int) -> dict[str, object]:
        place = self.other if self._lives_elsewhere(n) else self.place
        return {
            "id": f"{self.prefix}-{n}",
            "name": f"Recipient {self.prefix} {n}",
            "languages": ["en", "ru"],
            "groups": [f"district-{n % 50}"],
            **({"drills": True} if self.drills else {}),
            "addresses": [{"kind": self.kind, "value": self.address.format(n=n)}],
            "location": {
                "lat": round(place.lat + (n % 317) / 317 * 0.1 - 0.05, 5),
                "lon": round(place.lon + (n % 331) / 331 * 0.1 - 0.05, 5),
            },
            "geocodes": [{"scheme": "ISO3166-2", "value": "KZ-75"}],
        }
