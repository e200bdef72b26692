"""Alerts drawn from a seed: every class, places of every shape, some for nobody, some that end in seconds."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.chaos.people import EAST, NORTH, PROVINCES, SOUTH, WEST

Document = dict[str, Any]

SENDER = "duty@meteo.example"

#: Urgency, severity, certainty that make each class.
CLASSES = {
    "P0": ("Immediate", "Extreme", "Observed"),
    "P1": ("Expected", "Severe", "Likely"),
    "P2": ("Immediate", "Moderate", "Observed"),
    "P3": ("Expected", "Moderate", "Possible"),
    "P4": ("Expected", "Minor", "Possible"),
}
_WEIGHTS = {"P0": 15, "P1": 25, "P2": 20, "P3": 20, "P4": 20}
_EVERYWHERE = f"{SOUTH - 0.1},{WEST - 0.1} {SOUTH - 0.1},{EAST + 0.1} {NORTH + 0.1},{EAST + 0.1} {NORTH + 0.1},{WEST - 0.1} {SOUTH - 0.1},{WEST - 0.1}"
_TITLES = {"en": "Flood", "ru": "Паводок"}


def marker(number: int, info: int = 0) -> str:
    """Return the word that tells an info of an alert from every other in whatever a person reads."""
    return f"Q{number:05}{'ABCDEFGH'[info]}"


def instant(seconds: float = 0.0) -> str:
    """Return the time in so many seconds as CAP writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0).isoformat()


def some_class(chance: random.Random) -> str:
    """Draw a class."""
    return chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]


def alert(chance: random.Random, number: int, *, klass: str = "", wide: bool = False, lives: float = 0.0) -> Document:
    """Return a new alert: of a class, for all or for some place, for ``lives`` seconds; what is not given is drawn."""
    klass = klass or some_class(chance)
    lives = lives or (chance.uniform(2.0, 8.0) if chance.random() < 0.12 else 900.0)
    shape = [everywhere()] if wide else [area(chance)]
    infos = [_info(klass, number, 0, "en", shape, lives)]
    if chance.random() < 0.3:
        infos.append(_info(klass, number, 1, "ru", shape, lives))
    elif chance.random() < 0.15 and not wide:
        infos.append(_info(klass, number, 1, "en", [area(chance)], lives))
    return {
        "identifier": f"chaos-{number:05}",
        "sender": SENDER,
        "sent": instant(),
        "status": "Exercise" if chance.random() < 0.04 and not wide else "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": infos,
    }


def update(chance: random.Random, number: int, old: Document) -> Document:
    """Return an Update of ``old``: as severe, for the same place."""
    del chance
    infos = [
        {**info, "event": f"{_TITLES[info['language']]} {marker(number, n)}", **_words(info["language"], number, n)}
        for n, info in enumerate(old["info"])
    ]
    return {
        **old,
        "identifier": f"chaos-{number:05}",
        "sent": instant(),
        "msgType": "Update",
        "references": reference(old),
        "info": [{**info, "expires": instant(900)} for info in infos],
    }


def cancel(number: int, old: Document) -> Document:
    """Return a Cancel of ``old`` as agencies post it: with the same places, and words of its own."""
    return {**update(random.Random(0), number, old), "msgType": "Cancel"}


def reference(document: Document) -> str:
    """Return the triple by which another alert refers to this one."""
    return f"{document['sender']},{document['identifier']},{document['sent']}"


def area(chance: random.Random) -> Document:
    """Draw a place: a polygon, a circle, a province; sometimes where nobody is."""
    lat, lon, kind = chance.uniform(SOUTH, NORTH), chance.uniform(WEST, EAST), chance.random()
    if kind < 0.55:
        corners = [_corner(chance, lat, lon, quarter) for quarter in range(4)]
        return {"areaDesc": "Valley", "polygon": [" ".join([*corners, corners[0]])]}
    if kind < 0.8:
        return {"areaDesc": "Around the lake", "circle": [f"{lat:.4f},{lon:.4f} {chance.uniform(8, 40):.1f}"]}
    if kind < 0.95:
        code = {"valueName": "ISO3166-2", "value": chance.choice(PROVINCES)}
        return {"areaDesc": "Province", "geocode": [code]}
    return {"areaDesc": "Empty steppe", "circle": ["47.0,66.0 5"]}


def everywhere() -> Document:
    """Return the whole region."""
    return {"areaDesc": "Whole region", "polygon": [_EVERYWHERE]}


def _corner(chance: random.Random, lat: float, lon: float, quarter: int) -> str:
    north, east = ((1, 1), (1, -1), (-1, -1), (-1, 1))[quarter]
    return f"{lat + north * chance.uniform(0.1, 0.35):.4f},{lon + east * chance.uniform(0.1, 0.45):.4f}"


def _info(klass: str, number: int, at: int, language: str, areas: list[Document], lives: float) -> Document:
    urgency, severity, certainty = CLASSES[klass]
    return {
        "language": language,
        "category": ["Met"],
        "event": f"{_TITLES[language]} {marker(number, at)}",
        "urgency": urgency,
        "severity": severity,
        "certainty": certainty,
        "expires": instant(lives),
        **_words(language, number, at),
        "area": areas,
    }


def _words(language: str, number: int, at: int) -> Document:
    return {"headline": f"{_TITLES[language]} {marker(number, at)}", "instruction": "Move to higher ground."}
