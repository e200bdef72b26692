"""From a post to what became of every delivery, with a real worker; and what a dry run would do."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from relay.fanout.ids import DeliveryRef
from relay.tracking import token
from tests.integration.api.house import ALMATY, House, alert_json, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

TASHKENT = {"lat": 41.3, "lon": 69.24}


async def people(house: House) -> None:
    """Make three people in Almaty, one of them with two numbers, and one in Tashkent."""
    rows = [
        {"id": f"r{n}", "addresses": [{"kind": "sms", "value": f"+7701000000{n}"}], "location": ALMATY}
        for n in range(1, 4)
    ]
    rows[0]["addresses"].append({"kind": "sms", "value": "+77010000009"})  # type: ignore[attr-defined]
    rows.append({"id": "far", "addresses": [{"kind": "sms", "value": "+998901234567"}], "location": TASHKENT})
    body = b"\n".join(map(orjson.dumps, rows))
    got = await house.ask("POST", "/v1/recipients/import", body=body, Content_Type="application/x-ndjson")
    assert got.json["failed"] == 0, got.json


async def told(house: House, identifier: str, *, who: str = "meteo", **values: Any) -> dict[str, Any]:
    """Post an alert and return it once everybody was told."""
    posted = await house.post(alert_json(identifier, **values), who=who)
    assert posted.status in (200, 202), posted.body
    path = f"/v1/alerts/{posted.json['id']}"

    async def accepted() -> bool:
        counts = (await house.ask("GET", path)).json["counts"]
        return bool(counts) and set(counts) <= {"accepted", "delivered", "simulated"}

    await eventually(accepted, seconds=20)
    answer: dict[str, Any] = (await house.ask("GET", path)).json
    return answer


async def test_counts_and_deliveries(working: House) -> None:
    """Everybody in the area and nobody else has a delivery, with its channel, attempts and times."""
    await people(working)
    alert = await told(working, "deliver-1")
    listed = (await working.ask("GET", f"/v1/alerts/{alert['id']}/deliveries", who="meteo")).json
    rows = listed["deliveries"]

    assert alert["counts"] == {"accepted": 4}
    assert (alert["recipients"], alert["deliveries"]) == (3, 4)
    assert listed["next"] is None
    assert sorted(row["recipient"] for row in rows) == ["r1", "r1", "r2", "r3"]
    assert {row["channel"] for row in rows} == {"sms-console"}
    assert {(row["kind"], row["state"], row["attempts"]) for row in rows} == {("sms", "accepted", 1)}
    assert {row["possible_duplicate"] for row in rows} == {False}
    assert {row["reason"] for row in rows} == {None}
    assert all(row["times"]["queued"] <= row["times"]["accepted"] for row in rows)
    assert len({row["id"] for row in rows}) == 4


async def test_pages_and_filters(working: House) -> None:
    """Pages hold every delivery once, in order; filters choose by state, kind and recipient."""
    await people(working)
    path = f"/v1/alerts/{(await told(working, 'deliver-2'))['id']}/deliveries"
    seen, cursor = [], ""
    while True:
        page = (await working.ask("GET", f"{path}?limit=1{cursor}")).json
        seen += [row["id"] for row in page["deliveries"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    everything = [row["id"] for row in (await working.ask("GET", path)).json["deliveries"]]

    async def count(query: str) -> int:
        return len((await working.ask("GET", f"{path}?{query}")).json["deliveries"])

    assert seen == everything
    assert await count("recipient=r1") == 2
    assert await count("recipient=far") == 0
    assert await count("recipient=nobody") == 0
    assert await count("state=accepted&kind=sms") == 4
    assert await count("state=failed") == 0
    assert await count("kind=email") == 0
    assert (await working.ask("GET", f"{path}?cursor=aaaaaaaaaaaaa-0")).slug == "bad-parameter"
    assert (await working.ask("GET", f"{path}?state=gone")).slug == "bad-parameter"


async def test_an_acknowledgement_is_seen(working: House) -> None:
    """A responder's answer shows as acknowledged, with its time and choice."""
    await people(working)
    alert = await told(working, "deliver-3")
    path = f"/v1/alerts/{alert['id']}/deliveries?recipient=r2"
    row = (await working.ask("GET", path)).json["deliveries"][0]
    await _answer(working, row["id"], b"answer=2")
    after = (await working.ask("GET", path)).json["deliveries"][0]
    counts = (await working.ask("GET", f"/v1/alerts/{alert['id']}")).json["counts"]

    assert after["state"] == "acknowledged"
    assert (after["answer"], after["late"]) == ("2", False)
    assert after["times"]["acknowledged"] >= after["times"]["queued"]
    assert counts == {"accepted": 3, "acknowledged": 1}


async def _answer(house: House, delivery_id: str, body: bytes) -> None:
    ref = DeliveryRef.parse(delivery_id)
    assert ref is not None
    link = token.make(ref, house.services.secret)
    got = await house.ask("POST", f"/a/{link}", who="", body=body, Content_Type="application/x-www-form-urlencoded")
    assert got.status == 200, got.body


async def test_a_dry_run(working: House) -> None:
    """A preview says who would be told and what it would cost, and stores nothing."""
    await people(working)
    before = (await working.ask("GET", "/v1/alerts?limit=1000")).json["alerts"]
    got = await working.post(alert_json("dry-1"), query="?dry_run=true")
    after = (await working.ask("GET", "/v1/alerts?limit=1000")).json["alerts"]

    assert got.status == 200, got.body
    assert got.json["priority"] == "P1"
    assert got.json["recipients"] == 3
    assert got.json["messages"] == {"sms": 4}
    assert got.json["segments"]["en"] >= 1
    assert got.json["findings"] == []
    assert before == after


async def test_a_test_key_sends_nothing(working: House) -> None:
    """With a test key every delivery is simulated."""
    await people(working)
    key = await working.ask(
        "POST", "/v1/keys", body={"role": "agency", "name": "meteo", "senders": ["*@meteo.example"], "mode": "test"}
    )
    working.keys["practice"] = key.json["key"]
    alert = await told(working, "test-1", who="practice")

    assert alert["counts"] == {"simulated": 4}
    assert alert["mode"] == "test"


async def test_nobody_is_an_alarm(working: House) -> None:
    """An Actual alert that matches nobody ends at once, and the status says so."""
    document = alert_json("nobody-1")
    document["info"][0]["area"] = [{"areaDesc": "The ocean", "circle": ["0,0 10"]}]
    posted = await working.post(document)
    got = (await working.ask("GET", f"/v1/alerts/{posted.json['id']}?wait=10")).json
    alarms = (await working.ask("GET", "/status")).json["alarms"]
    why = (await working.ask("GET", f"/v1/alerts/{posted.json['id']}/why")).json

    assert (got["state"], got["reason"], got["counts"]) == ("completed", "no_recipients", {})
    assert {"code": "nobody", "message": "An Actual alert matched nobody.", "alert": posted.json["id"]} in alarms
    assert any("Nobody in the directory matches" in sentence for sentence in why["sentences"])
