"""Who is told, from outside: areas, severities, hazards, groups, languages and drills; always exactly those, never more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.black_box import Stage, stage
from tests.acceptance.black_box_alerts import Document, alert, info, mail, person

pytestmark = pytest.mark.asyncio(loop_scope="module")

OSH = {"lat": 30.0, "lon": 60.0}

#: Who lives where and wants what; the usual place is Talgar.
PEOPLE: dict[str, dict[str, Any]] = {
    "plain": {},
    "extreme": {"min_severity": "Extreme"},
    "moderate": {"min_severity": "Moderate"},
    "geo": {"hazards": ["Geo"]},
    "met": {"hazards": ["Met", "Fire"]},
    "driller": {"drills": True},
    "coded": {"location": None, "geocodes": [{"scheme": "ISO3166-2", "value": "KZ-75"}]},
    "nowhere": {"location": None},
    "east": {"location": {"lat": 66.0, "lon": 179.5}},
    "west": {"location": {"lat": 66.0, "lon": -179.5}},
    "greenwich": {"location": {"lat": 66.0, "lon": 0.0}},
    "km5": {"location": {"lat": 45.0449, "lon": 75.0}},
    "km11": {"location": {"lat": 45.0989, "lon": 75.0}},
    "rescuer": {"groups": ["rescue"], "location": {"lat": 10.0, "lon": 10.0}},
    "ru": {"languages": ["ru", "en"], "location": OSH},
    "kk": {"languages": ["kk"], "location": OSH},
    "ky": {"languages": ["ky", "ru"], "location": OSH},
    "en": {"location": OSH},
}
IN_TALGAR = {"plain", "moderate", "geo", "met", "driller"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A relay with a live and a drill channel, and people of every sort."""
    channels = {"webhook": {"adapter": "webhook"}, "drills": {"adapter": "webhook", "lanes": ["drill"]}}
    async with stage(tmp_path_factory.mktemp("area"), channels=channels) as made:
        people = [person(name, made.hooks.to(name), **facts) for name, facts in PEOPLE.items()]
        await made.client.told(*people, person("inbox", mail("inbox"), made.hooks.to("inbox"), location=None))
        yield made


async def _readers(scene: Stage, document: Document) -> dict[str, Document]:
    """Return who was told what; a doubled delivery fails."""
    answer = await scene.client.post(document)
    assert answer.status == 202, answer.body
    end = await scene.client.end(answer.body["id"])
    calls = [call for call in scene.hooks.calls if call.data["alert_id"] == answer.body["id"]]
    assert end["counts"].get("delivered", 0) == len(calls) == len({call.who for call in calls})
    return {call.who: call.data for call in calls}


def _shape(**shape: list[Any]) -> list[Document]:
    return [{"areaDesc": "Area", **shape}]


AREAS: dict[str, tuple[list[Document], set[str]]] = {
    "geocode": (_shape(geocode=[{"valueName": "ISO3166-2", "value": "KZ-75"}]), {"coded"}),
    "unknown geocode": (_shape(geocode=[{"valueName": "ISO3166-2", "value": "KZ-99"}]), set()),
    "4.8 km": (_shape(circle=["45.0,75.0 4.8"]), set()),
    "5.2 km": (_shape(circle=["45.0,75.0 5.2"]), {"km5"}),
    "11.2 km": (_shape(circle=["45.0,75.0 11.2"]), {"km5", "km11"}),
    "over the antimeridian": (_shape(polygon=["65,179 67,179 67,-179 65,-179 65,179"]), {"east", "west"}),
    "beyond 180": (_shape(polygon=["65,179 67,179 67,181 65,181 65,179"]), {"east", "west"}),
    "this side of it": (_shape(polygon=["65,-180 67,-180 67,-179 65,-179 65,-180"]), {"west"}),
    "a circle across": (_shape(circle=["66,180 60"]), {"east", "west"}),
    "two areas": ([*_shape(circle=["45.0,75.0 5.2"]), *_shape(circle=["66,180 60"])], {"east", "west", "km5"}),
    "an open ring": (_shape(polygon=["65,-180 67,-180 67,-179 65,-179"]), {"west"}),
}


@pytest.mark.parametrize("row", AREAS)
async def test_areas(scene: Stage, row: str) -> None:
    """Exactly those inside are told."""
    area, told = AREAS[row]

    assert set(await _readers(scene, alert(f"area-{row.replace(' ', '-')}", info(area=area)))) == told


WISHES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "severe met": ({}, IN_TALGAR - {"geo"}),
    "extreme geo": ({"severity": "Extreme", "category": ["Geo"]}, IN_TALGAR - {"met"} | {"extreme"}),
    "minor": ({"severity": "Minor"}, IN_TALGAR - {"geo", "moderate"}),
    "unknown reads as moderate": ({"severity": "Unknown"}, IN_TALGAR - {"geo"}),
    "two categories": ({"category": ["Geo", "Fire"]}, IN_TALGAR),
}


@pytest.mark.parametrize("row", WISHES)
async def test_wishes(scene: Stage, row: str) -> None:
    """A recipient's least severity and hazards are kept; nobody misses what he wants."""
    changes, told = WISHES[row]

    assert set(await _readers(scene, alert(f"wish-{row.replace(' ', '-')}", info(**changes)))) == told


@pytest.mark.parametrize("scope", ["Private", "Restricted"])
async def test_addressed(scene: Stage, scope: str) -> None:
    """Private and Restricted reach those they name, by group or address, wherever these are, and nobody else."""
    restriction = "for rescuers" if scope == "Restricted" else None
    changes = {"scope": scope, "restriction": restriction, "addresses": '"group:rescue" inbox@village.example group:x'}
    told = await _readers_by_webhook(scene, alert(f"to-{scope}", **changes))
    nobody = await _readers(scene, alert(f"nobody-{scope}", **{**changes, "addresses": "stranger@x.example"}))

    assert told == {"rescuer", "inbox"}
    assert nobody == {}


async def _readers_by_webhook(scene: Stage, document: Document) -> set[str]:
    answer = await scene.client.post(document)
    await scene.client.end(answer.body["id"])
    return {call.who for call in scene.hooks.calls if call.data["alert_id"] == answer.body["id"]}


@pytest.mark.parametrize("status", ["Exercise", "Test"])
async def test_drills(scene: Stage, status: str) -> None:
    """A drill reaches those who take drills, in its own class, and says first what it is."""
    told = await _readers(scene, alert(f"drill-{status}", info(severity="Extreme"), status=status))
    listed = await scene.client.ask("GET", "/v1/alerts?limit=1")

    assert set(told) == {"driller"}
    assert (told["driller"]["status"], listed.body["alerts"][0]["priority"]) == (status, "PX")
    assert told["driller"]["text"].startswith(status.upper())


async def test_who_reads_which_info(scene: Stage) -> None:
    """His first language that there is, then the highest severity, then the order of the document."""
    here = _shape(circle=["30.0,60.0 5"])
    infos = [
        info(language="ru", severity="Moderate", headline="ru moderate", area=here),
        info(language="en", severity="Severe", headline="en severe", area=here),
        info(language="en", severity="Extreme", headline="en extreme", area=here),
        info(language="en", severity="Extreme", headline="en later", area=here),
        info(language="kk-KZ", severity="Minor", headline="kk minor", area=here),
    ]
    told = await _readers(scene, alert("infos", *infos))
    wanted = {"ru": "ru moderate", "ky": "ru moderate", "kk": "kk minor", "en": "en extreme"}

    assert {who: data["headline"] for who, data in told.items()} == wanted


async def test_text_of_ones_own_place(scene: Stage) -> None:
    """People get the text of the info whose area they are in, even if another is in their language."""
    there = info(headline="there", area=_shape(circle=["45,75 5.2"]))
    here = info(language="ru", headline="here", area=_shape(circle=["30,60 5"]))
    told = await _readers(scene, alert("places", here, there))
    wanted = {**dict.fromkeys(("ru", "kk", "ky", "en"), "here"), "km5": "there"}

    assert {who: data["headline"] for who, data in told.items()} == wanted
