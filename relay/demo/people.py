"""Who is told in the demo: twelve fictional people around Almaty, and a crowd of twenty thousand far away from them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

ALMATY: Final = (43.24, 76.89)
"""Degrees of latitude and longitude, as CAP writes them."""

CROWD: Final = 20_000
QUICK: Final = 2_000
"""So many of the crowd live in Taraz, the others in Shymkent."""

CROWD_PREFIX: Final = "+770101"
_TARAZ: Final = (42.90, 71.37)
_SHYMKENT: Final = (42.32, 69.59)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One recipient; ``number`` and ``mailbox`` are empty and ``hook`` False where there is no such address."""

    id: str
    name: str
    languages: tuple[str, ...]
    place: tuple[float, float]
    group: str
    number: str = ""
    mailbox: str = ""
    hook: bool = False
    needs: tuple[str, ...] = ()
    drills: bool = False

    @property
    def inside(self) -> bool:
        """Whether this person lives where the alerts for Almaty are about."""
        return abs(self.place[0] - ALMATY[0]) < 0.5 and abs(self.place[1] - ALMATY[1]) < 0.5

    @property
    def online(self) -> bool:
        """Whether anything but SMS reaches this person."""
        return bool(self.mailbox or self.hook)

    @property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """Kind and address of each way to reach this person; a webhook is named by its path."""
        ways = (("sms", self.number), ("email", self.mailbox), ("webhook", f"/{self.id}" if self.hook else ""))
        return tuple((kind, value) for kind, value in ways if value)


# All numbers are fictional: +7701000 and four digits.
PEOPLE: Final[Sequence[Person]] = (
    Person(
        id="rescue-7",
        name="Rescue squad 7",
        languages=("kk", "ru"),
        place=(43.24, 76.89),
        group="rescue",
        number="+77010000007",
        hook=True,
        drills=True,
    ),
    Person(
        id="hospital-4",
        name="City hospital 4",
        languages=("ru",),
        place=(43.25, 76.93),
        group="hospital",
        mailbox="duty@hospital4.example",
        hook=True,
        drills=True,
    ),
    Person(
        id="talgar",
        name="Village Talgar",
        languages=("ky", "ru"),
        place=(43.30, 77.24),
        group="village",
        number="+77010000011",
        drills=True,
    ),
    Person(
        id="bakery-nan",
        name='Bakery "Nan"',
        languages=("uz", "ru"),
        place=(43.26, 76.95),
        group="business",
        number="+77010000021",
    ),
    Person(
        id="school-12",
        name="School 12",
        languages=("kk",),
        place=(43.22, 76.85),
        group="school",
        number="+77010000031",
        mailbox="office@school12.example",
        drills=True,
    ),
    Person(
        id="aliya",
        name="Aliya (cannot hear)",
        languages=("kk",),
        place=(43.23, 76.91),
        group="home",
        number="+77010000041",
        needs=("text",),
    ),
    Person(
        id="sergey",
        name="Sergey (cannot see)",
        languages=("ru",),
        place=(43.21, 76.88),
        group="home",
        number="+77010000042",
        mailbox="sergey@home.example",
        needs=("speech",),
    ),
    Person(
        id="guest-house",
        name="Guest house Peak",
        languages=("en",),
        place=(43.16, 77.06),
        group="business",
        number="+77010000051",
        mailbox="desk@peak.example",
    ),
    Person(
        id="besagash",
        name="Village Besagash",
        languages=("kk",),
        place=(43.31, 77.04),
        group="village",
        number="+77010000012",
    ),
    Person(
        id="astana-1",
        name="Astana hospital 1",
        languages=("kk",),
        place=(51.13, 71.43),
        group="hospital",
        number="+77010000061",
        drills=True,
    ),
    Person(
        id="karakol",
        name="Village Karakol",
        languages=("ky", "ru"),
        place=(42.49, 78.39),
        group="village",
        number="+77010000062",
    ),
    Person(
        id="aktau",
        name="Port of Aktau",
        languages=("ru",),
        place=(43.65, 51.16),
        group="business",
        number="+77010000063",
    ),
)

ANSWERS_BY_SMS: Final = "rescue-7"
ANSWERS_BY_LINK: Final = "school-12"
NO_RECEIPT: Final = "bakery-nan"


def by_id(person_id: str) -> Person:
    """Return one of the twelve.

    Raises:
        KeyError: there is nobody of that id.
    """
    return _BY_ID[person_id]


_BY_ID: Final = {person.id: person for person in PEOPLE}


def inside() -> tuple[Person, ...]:
    """Return those whom an alert for Almaty concerns."""
    return tuple(person for person in PEOPLE if person.inside)


def make_secret() -> str:
    """Return a fresh signing secret as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def people_ndjson(*, hooks: str, secret: str) -> bytes:
    """Return the twelve as an import; ``hooks`` is the webhook receiver's address without its final slash."""
    return b"\n".join(orjson.dumps(_document(person, hooks, secret)) for person in PEOPLE) + b"\n"


def _document(person: Person, hooks: str, secret: str) -> dict[str, Any]:
    addresses: list[dict[str, str]] = []
    for kind, value in person.addresses:
        if kind == "webhook":
            addresses.append({"kind": kind, "value": f"{hooks}{value}", "secret": secret})
        else:
            addresses.append({"kind": kind, "value": value})
    lat, lon = person.place
    return {
        "id": person.id,
        "name": person.name,
        "languages": person.languages,
        "groups": [person.group],
        "needs": person.needs,
        "addresses": addresses,
        "location": {"lat": lat, "lon": lon},
        "drills": person.drills,
    }


def crowd_number(n: int) -> str:
    """Return the fictional number of member ``n`` (from 0) of the crowd."""
    return f"{CROWD_PREFIX}{n:05d}"


def crowd_ndjson(*, lines: int = 1000) -> Iterator[bytes]:
    """Yield the crowd as an import, ``lines`` recipients at a time."""
    for first in range(0, CROWD, lines):
        rows = (orjson.dumps(_member(n)) for n in range(first, min(first + lines, CROWD)))
        yield b"\n".join(rows) + b"\n"


def _member(n: int) -> dict[str, Any]:
    lat, lon = _TARAZ if n < QUICK else _SHYMKENT
    return {
        "id": f"crowd-{n:05d}",
        "languages": ["ru"],
        "addresses": [{"kind": "sms", "value": crowd_number(n)}],
        "location": {"lat": lat, "lon": lon},
        "drills": False,
    }


def languages_line(people: Sequence[Person] = PEOPLE) -> str:
    """Return how many speak what first, the most first: ``5 kk, 3 ru``."""
    first = [person.languages[0] for person in people]
    counted = sorted({lang: first.count(lang) for lang in first}.items(), key=lambda item: -item[1])
    return ", ".join(f"{n} {lang}" for lang, n in counted)


def needs_line(people: Sequence[Person] = PEOPLE) -> str:
    """Return what makes some of them harder to reach."""
    offline = sum(not person.online for person in people)
    parts = (
        (_number(sum("text" in person.needs for person in people)), "cannot hear"),
        (_number(sum("speech" in person.needs for person in people)), "cannot see"),
        (_number(offline), "has no internet" if offline == 1 else "have no internet"),
    )
    return ", ".join(f"{n} {what}" for n, what in parts if n)


def _number(n: int) -> str:
    return {0: "", 1: "one"}.get(n, str(n))
