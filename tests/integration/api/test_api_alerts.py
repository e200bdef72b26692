"""Posting alerts: every row of the table of design §6 that needs no worker, and JSON that cannot be meant (class E)."""

from __future__ import annotations

import orjson
import pytest

from tests.integration.api.house import House, alert_json, alert_xml, at

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_durable_alert_is_202(house: House) -> None:
    """An accepted alert is told its id, class and where it is safe."""
    got = await house.post(alert_xml("p-1"))

    assert got.status == 202
    assert got.headers["Location"] == f"/v1/alerts/{got.json['id']}"
    assert len(got.json["id"]) == 26
    assert got.json["state"] == "accepted"
    assert got.json["priority"] == "P1"
    assert got.json["durability"] == {"journal": "fsync", "redis": "applied", "copies": 1}
    assert got.json["duplicate"] is None
    assert got.json["findings"] == []


async def test_the_same_again_is_200(house: House) -> None:
    """The same bytes, and the same message in the other format, are the same alert."""
    document = alert_json("p-2")
    first = await house.post(document)
    again = await house.post(document)
    spaced = await house.post(orjson.dumps(document, option=orjson.OPT_INDENT_2), Content_Type="application/json")

    assert (first.status, again.status, spaced.status) == (202, 200, 200)
    assert {again.json["id"], spaced.json["id"]} == {first.json["id"]}
    assert again.json["duplicate"] == {"of": first.json["id"], "key": "K0", "why": "the same bytes were posted before"}
    assert spaced.json["duplicate"]["key"] == "K2"


async def test_same_triple_other_content_is_409(house: House) -> None:
    """Other content under the same identity is refused, and says which alert is there."""
    document = alert_json("p-3")
    first = await house.post(document)
    document["info"][0]["headline"] = "Something else"
    got = await house.post(document)

    assert (got.status, got.slug) == (409, "identifier-conflict")
    assert got.json["existing"] == first.json["id"]


async def test_no_area_is_held(house: House) -> None:
    """An alert without a usable area is kept and waits for a person."""
    document = alert_json("p-4")
    document["info"][0]["area"] = [{"areaDesc": "Somewhere"}]
    got = await house.post(document)
    status = (await house.ask("GET", "/status")).json

    assert (got.status, got.json["state"], got.json["reason"]) == (202, "held", "no_usable_area")
    assert got.json["id"] in {row["id"] for row in status["held"]}
    assert any(alarm["code"] == "held" and alarm["alert"] == got.json["id"] for alarm in status["alarms"])


async def test_expired_on_arrival(house: House) -> None:
    """An alert that is over is kept and sent to nobody."""
    got = await house.post(alert_json("p-5", sent=at(-500), expires=at(-400), severity="Minor"))

    assert (got.status, got.json["state"]) == (202, "expired")


async def test_a_wrong_clock_never_silences(house: House) -> None:
    """Urgent news that looks late by whole hours waits for a person."""
    got = await house.post(alert_json("p-6", sent=at(-180), expires=at(-120)))

    assert (got.json["state"], got.json["reason"]) == ("held", "clock_doubt")


async def test_a_refusal_has_every_error(house: House) -> None:
    """All errors come at once: rule, place, and what to do, in English and in Russian."""
    document = alert_json("p-7", status="Aktual", severity="Bad")
    english = await house.post(document)
    russian = await house.post(document, Accept_Language="ru-KZ, en;q=0.5")

    assert english.status == 422
    assert english.headers["Content-Type"].startswith("application/problem+json")
    assert english.json["title"] == "The alert is refused: 2 errors"
    assert english.json["detail"] == "Nothing was stored and nobody was told."
    assert english.json["instance"].endswith(english.headers["X-Request-Id"])
    assert {error["severity"] for error in english.json["errors"]} == {"error"}
    assert all(error["rule"] and error["path"] and error["message"] for error in english.json["errors"])
    assert russian.json["title"] == "Предупреждение не принято: 2 ошибки"
    assert russian.json["detail"] == "Ничего не сохранено и никому не отправлено."
    assert russian.json["errors"][0]["message"] != english.json["errors"][0]["message"]


async def test_a_refusal_is_remembered(house: House) -> None:
    """A refused post is on the status page with the class it would have had, and without its body."""
    document = alert_json("p-8", severity="Extreme", urgency="Immediate", certainty="Observed", scope="Everybody!")
    await house.post(document)
    row = await house.refused("validation-failed", priority="P0")
    status = (await house.ask("GET", "/status")).json

    assert row["agency"] == "meteo"
    assert row["status"] == 422
    assert row["rules"]
    assert "Everybody" not in orjson.dumps(row).decode()
    assert any(alarm["code"] == "refused" for alarm in status["alarms"])


async def test_strict_mode(house: House) -> None:
    """What lenient mode repairs, strict mode refuses."""
    lenient = await house.post(alert_json("p-9", sent=at().replace("+00:00", "Z")))
    strict = await house.post(alert_json("p-10", sent=at().replace("+00:00", "Z")), query="?mode=strict")

    assert lenient.status == 202
    assert [finding["severity"] for finding in lenient.json["findings"]] == ["fixed"]
    assert strict.status == 422


async def test_a_test_key_rehearses(house: House) -> None:
    """The same document posted with a test key and a live one are two alerts."""
    document = alert_json("p-11")
    rehearsed = await house.post(document, who="rehearsal")
    real = await house.post(document, who="meteo")

    assert (rehearsed.status, real.status) == (202, 403 if rehearsed.status == 403 else 202)
    assert rehearsed.json.get("id") != real.json.get("id")


@pytest.mark.parametrize("query", ["?mode=loud", "?dry_run=maybe", "?mode=strict&mode=lenient"])
async def test_wrong_parameters(house: House, query: str) -> None:
    """A parameter that cannot be meant so is 400, not ignored."""
    got = await house.post(alert_json("p-12"), query=query)

    assert (got.status, got.slug) == (400, "bad-parameter")


async def test_a_preview_needs_a_worker(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a worker a dry run says so and stores nothing."""
    monkeypatch.setattr("relay.api.alerts.PREVIEW_SECONDS", 0.2)
    got = await house.post(alert_json("p-13"), query="?dry_run=true")

    assert (got.status, got.slug) == (503, "preview-unavailable")
    assert "Retry-After" in got.headers


async def test_cancel(house: House) -> None:
    """An agency cancels its own alert in one action; cancelling again is the same."""
    alert = (await house.post(alert_json("p-14"))).json["id"]
    got = await house.ask("POST", f"/v1/alerts/{alert}/cancel", who="meteo", body={"reason": "a mistake"})
    unknown = await house.ask("POST", "/v1/alerts/nobody/cancel", who="duty")
    cancel = await house.ask("GET", f"/v1/alerts/{got.json['id']}", who="meteo")

    assert got.status == 202
    assert got.json["cancels"] == alert
    assert (cancel.json["msgType"], cancel.json["chain"]["references"]) == ("Cancel", [alert])
    assert unknown.status == 404


async def test_approval(house: House) -> None:
    """A held alert is approved or rejected by a person, once."""
    ids = []
    for identifier in ("p-15", "p-16"):
        document = alert_json(identifier)
        document["info"][0]["area"] = [{"areaDesc": "Somewhere"}]
        ids.append((await house.post(document)).json["id"])
    path = "/v1/alerts/{}/approval"
    yes = await house.ask("POST", path.format(ids[0]), who="approver", body={"decision": "approve", "reason": "seen"})
    no = await house.ask("POST", path.format(ids[1]), who="duty", body={"decision": "reject", "reason": "wrong"})
    twice = await house.ask("POST", path.format(ids[1]), who="duty", body={"decision": "approve"})
    odd = await house.ask("POST", path.format(ids[1]), who="duty", body={"decision": "perhaps"})
    nobody = await house.ask("POST", path.format("nobody"), who="duty", body={"decision": "approve"})

    assert (yes.status, yes.json["state"]) == (200, "accepted")
    assert (no.status, no.json["state"]) == (200, "rejected")
    assert (twice.status, twice.slug) == (409, "not-held")
    assert (odd.status, odd.slug) == (422, "validation-failed")
    assert odd.json["errors"][0]["path"] == "/decision"
    assert nobody.status == 404


GOOD = orjson.dumps(alert_json("e-1"))
BAD_JSON = {
    "BI-085 deep list": (b"[" * 100_000, (400,), {"too-deep"}),
    "BI-086 deep object": (b'{"a":' * 5_000, (400,), {"too-deep"}),
    "BI-087 long number": (b'{"identifier": ' + b"9" * 5_000 + b"}", (400,), {"number-out-of-range"}),
    "BI-089 NaN": (b'{"identifier": NaN}', (400,), {"malformed-json"}),
    "BI-089 -Infinity": (b'{"identifier": -Infinity}', (400,), {"malformed-json"}),
    "BI-090 twice": (b'{"sender":"a","sender":"b"}', (400,), {"duplicate-key"}),
    "BI-092 lone surrogate": (b'{"sender":"\\ud800"}', (400,), {"bad-unicode"}),
    "BI-094 no UTF-8": (b'{"sender":"\xff\xfe"}', (400,), {"bad-unicode"}),
    "BI-096 trailing comma": (b'{"sender":"a",}', (400,), {"malformed-json"}),
    "BI-096 comment": (b'{"sender":"a"} // no', (400,), {"malformed-json"}),
    "BI-096 two documents": (GOOD + GOOD, (400,), {"malformed-json"}),
    "BI-097 list": (b"[]", (422,), {"validation-failed"}),
    "BI-097 null": (b"null", (422,), {"validation-failed"}),
    "BI-100 __proto__": (GOOD[:-1] + b',"__proto__":{}}', (422,), {"unknown-field"}),
    "BI-101 100,000 keys": (
        b"{" + b",".join(b'"k%d":1' % n for n in range(100_000)) + b"}",
        (413, 422),
        {"too-many-items", "body-too-large"},
    ),
    "BI-102 long text": (orjson.dumps(alert_json("e-2", headline="x" * 1_048_000)), (202, 422), {"text-too-long", ""}),
    "BI-104 many alerts": (
        b"[" + b",".join([GOOD] * 1_000) + b"]",
        (413, 422),
        {"validation-failed", "too-many-items"},
    ),
}


@pytest.mark.parametrize("row", BAD_JSON)
async def test_json_that_cannot_be_meant(house: House, row: str) -> None:
    """Broken or hostile JSON is refused with its own word, and a good alert is accepted right after."""
    body, statuses, slugs = BAD_JSON[row]
    got = await house.ask("POST", "/v1/alerts", who="meteo", body=body)
    after = await house.post(alert_json(f"after {row}".replace(" ", "-").replace(",", "")))

    assert got.status in statuses, got.body[:500]
    assert (got.slug if got.status >= 400 else "") in slugs
    assert after.status == 202
