"""Who can be told: recipients drawn from a seed, over a region of about 90 by 100 kilometres."""

from __future__ import annotations

import random
from typing import Any

from tests.acceptance.black_box_receivers import SECRET

Document = dict[str, Any]

SOUTH, NORTH, WEST, EAST = 42.8, 43.6, 76.4, 77.6
PROVINCES = ("KZ-75", "KZ-11", "KZ-19")
SEVERITIES = ("Unknown", "Minor", "Moderate", "Severe", "Extreme")
HAZARDS = ("Met", "Geo", "Safety")


def people(seed: int, *, count: int, hooks: list[str]) -> list[Document]:
    """Return ``count`` recipients as the API takes them; ``hooks`` are the origins of the webhook receivers."""
    chance = random.Random(f"people {seed}")
    return [_person(chance, number, hooks) for number in range(count)]


def _person(chance: random.Random, number: int, hooks: list[str]) -> Document:
    name = f"p{number:03}"
    kinds = [kind for kind, share in (("sms", 0.5), ("email", 0.4), ("webhook", 0.5)) if chance.random() < share]
    person: Document = {
        "id": name,
        "name": f"Post {number}",
        "languages": chance.choice([["en"], ["en"], ["ru", "en"], ["kk", "en"]]),
        "addresses": [_address(kind, number, name, hooks) for kind in kinds or ["webhook"]],
        "location": {"lat": round(chance.uniform(SOUTH, NORTH), 5), "lon": round(chance.uniform(WEST, EAST), 5)},
        "geocodes": [{"scheme": "ISO3166-2", "value": chance.choice(PROVINCES)}],
        "drills": chance.random() < 0.5,
    }
    if chance.random() < 0.3:
        person["min_severity"] = chance.choice(["Moderate", "Severe"])
    if chance.random() < 0.2:
        person["hazards"] = [chance.choice(HAZARDS)]
    return person


def _address(kind: str, number: int, name: str, hooks: list[str]) -> Document:
    if kind == "sms":
        return {"kind": kind, "value": f"+7701000{number:04}"}
    if kind == "email":
        return {"kind": kind, "value": f"{name}@village.example"}
    return {"kind": kind, "value": f"{hooks[number % len(hooks)]}/hook/{name}", "secret": SECRET}
