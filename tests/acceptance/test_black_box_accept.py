"""Design §6 from outside: every row of its table, every alphabet, many clients at once, and what can be read afterwards."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import orjson
import pytest
import pytest_asyncio

from tests.acceptance.black_box import Stage, stage, together
from tests.acceptance.black_box_alerts import SENDER, alert, info, instant, person, reference, xml
from tests.acceptance.relay_side import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A relay with two people in Talgar, one of whom reads Russian."""
    async with stage(tmp_path_factory.mktemp("accept")) as made:
        people = [person("aigul", made.hooks.to("aigul")), person("ivan", made.hooks.to("ivan"), languages=["ru"])]
        await made.client.told(*people)
        yield made


async def test_durable(scene: Stage) -> None:
    """202 with the shapes of §16; both are told once, each in his language, signed, and the counts sum up."""
    document = alert("durable", info(headline="Durable"), info(language="ru", headline="Durable по-русски"))
    answer = await scene.client.post(document)
    alert_id = answer.body["id"]
    end = await scene.client.end(alert_id)
    calls = {call.who: call for call in scene.hooks.calls if call.data["alert_id"] == alert_id}

    assert (answer.status, answer.headers["Location"]) == (202, f"/v1/alerts/{alert_id}")
    assert answer.body["durability"] == {"journal": "fsync", "redis": "applied", "copies": 1}
    wanted = ("accepted", "P1", "durable", SENDER, None)
    assert tuple(answer.body[name] for name in ("state", "priority", "identifier", "sender", "duplicate")) == wanted
    assert (end["counts"], end["recipients"], end["deliveries"]) == ({"delivered": 2}, 2, 2)
    assert scene.hooks.who("Durable") == Counter(aigul=1, ivan=1)
    assert {who: call.data["language"] for who, call in calls.items()} == {"aigul": "en", "ivan": "ru"}
    assert all(call.signed and call.id == call.data["delivery_id"] for call in calls.values())
    fields = "alert_id delivery_id recipient status msgType language event headline severity urgency certainty expires"
    assert {*fields.split(), "areas", "text", "speech", "ack_url", "cap_url"} <= set(calls["ivan"].data)


async def test_many_clients_post_the_same(scene: Stage) -> None:
    """One of a hundred at once is accepted, the others hear of it; as XML it is the same message; nobody hears twice."""
    document = alert("hundred", info(headline="Hundred"))
    answers = await together([scene.client.post(document) for _ in range(100)])
    again = await scene.client.post_xml(xml(document))
    await scene.client.end(again.body["id"])

    assert Counter(answer.status for answer in answers) == {202: 1, 200: 99}
    assert {answer.body["id"] for answer in answers} == {again.body["id"]}
    assert again.status == 200
    assert set(again.body["duplicate"]) == {"of", "key", "why"}
    assert scene.hooks.who("Hundred") == Counter(aigul=1, ivan=1)


async def test_conflict(scene: Stage) -> None:
    """Of twenty contents under one triple one is accepted, nineteen are 409; one is told."""
    sent = instant()
    documents = [alert("conflict", info(headline=f"Conflict {n}"), sent=sent) for n in range(20)]
    answers = await together([scene.client.post(document) for document in documents])
    accepted = next(answer for answer in answers if answer.status == 202)
    await scene.client.end(accepted.body["id"])
    refused = {answer.body["type"] for answer in answers if answer.status == 409}

    assert Counter(answer.status for answer in answers) == {202: 1, 409: 19}
    assert refused == {"urn:chapar:problem:identifier-conflict"}
    assert len(scene.hooks.who("Conflict")) == 2
    assert scene.hooks.who("Conflict").total() == 2


async def test_collision(scene: Stage) -> None:
    """The same triple with another event is another alert with a finding; a Cancel of the triple waits for a person."""
    flood = alert("collision", info(headline="Collision"))
    fire = {**flood, "info": [info(event="Fire", headline="Collision")]}
    first, second = await scene.client.post(flood), await scene.client.post(fire)
    cancel = alert("collision-cancel", msgType="Cancel", references=reference(flood), info=None)
    held = await scene.client.post_xml(xml(cancel))

    assert (first.status, second.status) == (202, 202)
    assert first.body["id"] != second.body["id"]
    assert any("COLLISION" in finding["rule"] for finding in second.body["findings"])
    assert (held.status, held.body["state"]) == (202, "held")
    assert all(answer.body["id"] in str(held.body["findings"]) for answer in (first, second))


DAY = 86_400
#: What is changed in the alert and in its info, and the state that follows; times are seconds from now.
ODD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no area": ({}, {"area": None}, "held"),
    "an area without a shape": ({}, {"area": [{"areaDesc": "Somewhere"}]}, "held"),
    "ahead of our clock": ({"sent": 3600}, {}, "accepted"),
    "long expired": ({"sent": -3 * DAY}, {"expires": -60}, "expired"),
    "a clock some minutes off": ({"sent": -600}, {"expires": -60}, "held"),
    "a wrong zone": ({"sent": -6 * 3600 - 60}, {"expires": -60}, "held"),
    "half an hour is no zone": ({"sent": -6 * 3600 - 1800}, {"expires": -60}, "expired"),
    "not urgent enough to doubt": ({"sent": -600}, {"expires": -60, "severity": "Minor"}, "expired"),
}


def _timed(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: instant(value) if isinstance(value, int) else value for name, value in changes.items()}


@pytest.mark.parametrize("row", ODD)
async def test_place_and_time(scene: Stage, row: str) -> None:
    """What is not sent at once is 202 all the same, and says why."""
    changes, inner, state = ODD[row]
    document = alert(f"odd-{row.replace(' ', '-')}", info(**_timed(inner)), **_timed(changes))
    answer = await scene.client.post(document)

    assert (answer.status, answer.body["state"]) == (202, state)
    assert answer.body["findings"]


async def test_approved_in_spite_of_the_clock(scene: Stage) -> None:
    """A wrong clock never silences a warning: whom an operator lets it reach, it reaches; it expired at once."""
    document = alert("approved", info(headline="Approved", expires=instant(-60)), sent=instant(-300))
    held = await scene.client.post(document)
    before = scene.hooks.who("Approved")
    decision = {"decision": "approve", "reason": "his clock is wrong"}
    approved = await scene.client.ask("POST", f"/v1/alerts/{held.body['id']}/approval", decision)
    end = await scene.client.end(held.body["id"])

    assert (held.body["state"], held.body["reason"], approved.status) == ("held", "clock_doubt", 200)
    assert not before
    assert end["counts"] == {"delivered": 2}


BROKEN = {
    "half a JSON": (b'{"a":', "application/json", 400),
    "half an XML": (b"<alert", "application/cap+xml", 400),
    "a DOCTYPE": (xml(alert("doctype"), extra="<!DOCTYPE alert>"), "application/xml", 400),
    "nothing": (b"", "application/json", 400),
    "a list": (b"[]", "application/json", 422),
    "no fields": (b"{}", "application/json", 422),
    "another root": (b"<a/>", "text/xml", 422),
    "a draft": (orjson.dumps(alert("draft", status="Draft")), "application/json", 422),
    "a form": (b"x=1", "application/x-www-form-urlencoded", 415),
    "text": (b"{}", "text/plain", 415),
    "too much": (b'"' + b"x" * 5_000_000 + b'"', "application/json", 413),
}


@pytest.mark.parametrize("row", BROKEN)
async def test_broken(scene: Stage, row: str) -> None:
    """What cannot be accepted is a problem document with the right status, and is shown to the operator."""
    data, media, status = BROKEN[row]
    answer = await scene.client.ask("POST", "/v1/alerts", data=BytesIO(data), Content_Type=media)

    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.body["type"].startswith("urn:chapar:problem:")


async def test_all_errors_at_once_in_russian(scene: Stage) -> None:
    """Whoever reads Russian gets every finding in Russian, with rule and place; the status page knows of it."""
    bad = alert("bad", info(severity="Huge", expires="tomorrow"), scope="X")
    answer = await scene.client.post(bad, Accept_Language="ru")

    async def shown() -> bool:
        return bool((await scene.client.ask("GET", "/status", Accept="application/json")).body["refused"])

    await until(shown, within=5, why="the operator sees that something was refused")

    assert answer.status == 422
    assert {error["path"] for error in answer.body["errors"]} == {"/info/0/severity", "/info/0/expires", "/scope"}
    assert "не" in answer.body["errors"][0]["message"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1251", "koi8-r", "cp866", "utf-16"])
async def test_alphabets(scene: Stage, encoding: str) -> None:
    """Cyrillic arrives as it was meant from every encoding that old systems use; the original bytes are kept."""
    text = "Сель: уходите. Су көтөрүлдү. Ағын"[: 14 if encoding not in ("utf-8", "utf-8-sig", "utf-16") else None]
    document = alert(f"alphabet-{encoding}", info(language="ru", event="Погода", headline=text))
    body = xml(document, encoding=encoding)
    answer = await scene.client.post_xml(body)
    await scene.client.end(answer.body["id"])
    original = await scene.client.ask("GET", f"/v1/alerts/{answer.body['id']}", Accept="application/cap+xml")

    assert scene.hooks.of("ivan")[-1].data["headline"] == text
    assert original.raw == body


async def test_original_with_comments(scene: Stage) -> None:
    """Processing instructions and comments are ignored; gzip is read; the alert of a bomb is refused."""
    extra = '<?xml-stylesheet href="http://127.0.0.1:1/x"?><!-- hello -->'
    odd = await scene.client.post_xml(xml(alert("odd"), extra=extra))
    packed = gzip.compress(orjson.dumps(alert("packed")))
    zipped = await scene.client.ask(
        "POST", "/v1/alerts", data=packed, Content_Type="application/json", Content_Encoding="gzip"
    )
    bomb = gzip.compress(b"x" * 50_000_000)
    refused = await scene.client.ask(
        "POST", "/v1/alerts", data=bomb, Content_Type="application/json", Content_Encoding="gzip"
    )

    assert (odd.status, zipped.status, refused.status) == (202, 202, 413)


async def test_strict_and_dry_run(scene: Stage) -> None:
    """What lenient repairs, strict refuses; a dry run says whom it would reach and stores nothing."""
    document = alert("strict", sent=instant().replace("+00:00", "Z"))
    strict = await scene.client.post(document, "?mode=strict")
    lenient = await scene.client.post(document)
    dry = await scene.client.post(alert("dry", info(headline="Dry")), "?dry_run=true")
    listed = await scene.client.ask("GET", "/v1/alerts?limit=1000")

    assert (strict.status, lenient.status) == (422, 202)
    assert lenient.body["findings"][0]["severity"] == "fixed"
    assert (dry.status, dry.body["recipients"], dry.body["messages"]) == (200, 2, {"webhook": 2})
    assert "dry" not in {row["identifier"] for row in listed.body["alerts"]}
    assert not scene.hooks.who("Dry")


async def test_lists(scene: Stage) -> None:
    """Cursors go through all alerts once; filters filter; a filter that cannot be meant is 400."""
    seen, cursor = [], ""
    await together([scene.client.post(alert(f"list-{n}", info(severity="Minor"))) for n in range(7)])
    while cursor is not None:
        page = await scene.client.ask("GET", f"/v1/alerts?limit=3&priority=P4&cursor={cursor}")
        seen += page.body["alerts"]
        cursor = page.body["next"]
    held = await scene.client.ask("GET", "/v1/alerts?state=held")
    bad = [await scene.client.ask("GET", f"/v1/alerts?{query}") for query in ("state=x", "limit=1001", "cursor=x")]

    assert len({row["id"] for row in seen}) == len(seen) >= 7
    assert {row["priority"] for row in seen} == {"P4"}
    assert {row["state"] for row in held.body["alerts"]} <= {"held"}
    assert [answer.status for answer in bad] == [400, 400, 400]


async def test_wait_and_why(scene: Stage) -> None:
    """``?wait`` returns at the end, or at once for what is held; ``/why`` has its keys and a sentence."""
    ends = await scene.client.post(alert("waits"))
    holds = await scene.client.post(alert("holds", info(area=None)))
    end = await scene.client.ask("GET", f"/v1/alerts/{ends.body['id']}?wait=20")
    held = await scene.client.ask("GET", f"/v1/alerts/{holds.body['id']}?wait=20")
    why = await scene.client.ask("GET", f"/v1/alerts/{holds.body['id']}/why")

    assert (end.body["state"], held.body["state"]) == ("completed", "held")
    assert end.took < 15
    assert held.took < 5
    assert why.body["sentences"]
    assert {"K0", "K1", "K2"} <= set(why.body["keys"])


async def test_nobody_matches(scene: Stage) -> None:
    """An alert that reaches nobody is complete, and an alarm."""
    answer = await scene.client.post(alert("nobody", info(area=[{"areaDesc": "Sea", "circle": ["0,0 1"]}])))
    end = await scene.client.end(answer.body["id"])
    status = await scene.client.ask("GET", "/status", Accept="application/json")

    assert (end["deliveries"], end["reason"]) == (0, "no_recipients")
    assert answer.body["id"] in {alarm.get("alert") for alarm in status.body["alarms"]}


@pytest.mark.parametrize(
    "path", ["/nope", "/v1", "/v1/alerts/zzz", "/v1/nope", "/v1/recipients/nobody", "/a/x", "/limits"]
)
async def test_unknown_paths(scene: Stage, path: str) -> None:
    """What does not exist is 404."""
    assert (await scene.client.ask("GET", path)).status == 404


async def test_for_machines(scene: Stage) -> None:
    """Health, readiness and metrics need no key here; the status document has its parts."""
    health = [await scene.client.ask("GET", path, key="") for path in ("/healthz", "/readyz", "/metrics")]
    status = await scene.client.ask("GET", "/status", Accept="application/json")
    stranger = await scene.client.ask("GET", "/status", key="", Accept="application/json")
    parts = {"time", "alarms", "alerts", "classes", "channels", "held", "refused", "redis", "journal", "workers"}

    assert [answer.status for answer in health] == [200, 200, 200]
    assert parts <= set(status.body)
    assert {"name", "kind", "state", "per_second", "error"} <= set(status.body["channels"][0])
    assert stranger.status == 401
