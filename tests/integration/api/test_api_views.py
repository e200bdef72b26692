"""Reading alerts back: the list, one alert, its bytes, why, and waiting for it."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.integration.api.house import House, alert_json, alert_xml, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_list_is_walked_by_cursor(house: House) -> None:
    """Pages of the list hold every alert once, newest first."""
    posted = [(await house.post(alert_json(f"list-{n}"))).json["id"] for n in range(7)]
    seen, cursor = [], ""
    while True:
        page = (await house.ask("GET", f"/v1/alerts?limit=3{cursor}", who="meteo")).json
        seen += [row["id"] for row in page["alerts"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"

    assert seen[:7] == posted[::-1]
    assert len(seen) == len(set(seen))


async def test_the_list_is_filtered(house: House) -> None:
    """``state``, ``priority`` and ``since`` choose rows."""
    drill = (await house.post(alert_json("filter-1", status="Exercise"))).json["id"]
    drills = (await house.ask("GET", "/v1/alerts?priority=PX")).json["alerts"]
    held = (await house.ask("GET", "/v1/alerts?state=held")).json["alerts"]
    future = (await house.ask("GET", "/v1/alerts?since=2099-01-01T00:00:00Z")).json
    past = (await house.ask("GET", "/v1/alerts?since=2020-01-01T00:00:00+05:00")).json["alerts"]

    assert drill in {row["id"] for row in drills}
    assert {row["priority"] for row in drills} == {"PX"}
    assert all(row["state"] == "held" for row in held)
    assert future == {"alerts": [], "next": None}
    assert drill in {row["id"] for row in past}


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "limit=1e9", "limit=NaN", "limit=0", "limit=1001", "cursor=%00", "cursor=zz", "sort=__class__",
     "state=a&state=b", "state=loud", "since=yesterday", "priority=p1"],
)  # fmt: skip
async def test_a_bad_parameter_is_400(house: House, query: str) -> None:
    """A parameter that cannot be meant so is refused (BI-232)."""
    got = await house.ask("GET", f"/v1/alerts?{query}")

    assert (got.status, got.slug) == (400, "bad-parameter")


async def test_one_alert(house: House) -> None:
    """An alert comes with its state, counts, chain and times; zero counts are left out."""
    alert = (await house.post(alert_xml("one-1"))).json["id"]
    got = (await house.ask("GET", f"/v1/alerts/{alert}", who="meteo")).json

    assert got["id"] == alert
    assert got["state"] == "accepted"
    assert got["counts"] == {}
    assert (got["recipients"], got["deliveries"]) == (0, 0)
    assert got["chain"]["references"] == []
    assert got["times"]["received"].endswith("Z")
    assert got["durability"]["journal"] == "fsync"
    assert "stale" not in got


async def test_the_original_bytes(house: House) -> None:
    """``Accept: application/cap+xml`` gives what was posted, byte for byte, under the posted content type."""
    body = alert_xml("bytes-1") + b"\n<!-- kept -->\n"
    alert = (await house.post(body, Content_Type="text/xml; charset=utf-8")).json["id"]
    got = await house.ask("GET", f"/v1/alerts/{alert}", who="meteo", Accept="application/cap+xml")

    assert got.body == body
    assert got.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert "sandbox" in got.headers["Content-Security-Policy"]


async def test_waiting_ends_when_something_is_decided(house: House) -> None:
    """``?wait=`` returns when the alert's state lasts, long before its time."""
    alert = (await house.post(alert_json("wait-1"))).json["id"]
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(house.ask("GET", f"/v1/alerts/{alert}?wait=20", who="meteo"))
        await asyncio.sleep(0.3)
        await house.services.alerts.hold(alert, reason="for the test")
    got = waiting.result()

    assert got.json["state"] == "held"
    assert time.monotonic() - began < 5


async def test_waiting_ends_with_its_time(house: House) -> None:
    """Without a decision the answer comes when the time is over; a longer time than a minute is cut."""
    alert = (await house.post(alert_json("wait-2"))).json["id"]
    began = time.monotonic()
    got = await house.ask("GET", f"/v1/alerts/{alert}?wait=0.5", who="meteo")
    odd = await house.ask("GET", f"/v1/alerts/{alert}?wait=soon", who="meteo")

    assert got.json["state"] == "accepted"
    assert 0.4 < time.monotonic() - began < 5
    assert (odd.status, odd.slug) == (400, "bad-parameter")


async def test_why(house: House) -> None:
    """The decisions are sentences, and the keys are shown."""
    document = alert_json("why-1")
    document["info"][0]["area"] = [{"areaDesc": "Somewhere"}]
    alert = (await house.post(document)).json["id"]
    got = (await house.ask("GET", f"/v1/alerts/{alert}/why", who="meteo")).json
    text = " ".join(got["sentences"])

    assert (got["id"], got["decision"]) == (alert, "held")
    assert set(got["keys"]) == {"K0", "K1", "K2"}
    assert "missing area never means everybody" in text
    assert "Its class is P1: urgency Expected, severity Severe, certainty Likely" in text
    assert "Nothing is sent after" in text


@pytest.mark.parametrize("rest", ["", "/why", "/deliveries"])
async def test_an_unknown_alert_is_404(house: House, rest: str) -> None:
    """What is not there is a problem with the word not-found."""
    got = await house.ask("GET", f"/v1/alerts/nobody{rest}")

    assert (got.status, got.slug) == (404, "not-found")


async def test_reading_while_redis_is_away(house: House) -> None:
    """Alerts are accepted without Redis, and read back as this node knows them; others are 503, not 404.

    Last in this file: Redis comes back empty-handed for a moment.
    """
    before = (await house.post(alert_json("stale-1"))).json["id"]
    await house.redis.stop()
    accepted = await house.post(alert_json("stale-2"))
    got = await house.ask("GET", f"/v1/alerts/{accepted.json['id']}", who="meteo")
    known = await house.ask("GET", f"/v1/alerts/{before}", who="meteo")
    foreign = await house.ask("GET", f"/v1/alerts/{before}", who="seismo")
    listed = await house.ask("GET", "/v1/alerts")

    async def ready() -> bool:
        said = (await house.ask("GET", "/readyz", who="")).json
        return bool(said == {"ready": True, "journal": "ok", "redis": "unavailable"})

    await eventually(ready)
    status = (await house.ask("GET", "/status")).json
    stopped = await house.ask("POST", "/v1/stop", body={"reason": "drill"})
    await house.redis.start()

    async def told() -> bool:
        return (await house.ask("GET", f"/v1/alerts/{accepted.json['id']}", who="meteo")).json.get("stale") is None

    await eventually(told)

    assert (accepted.status, accepted.json["durability"]["redis"]) == (202, "pending")
    assert (got.status, got.json["stale"], got.json["identifier"]) == (200, True, "stale-2")
    assert (known.status, known.json["stale"]) == (200, True)
    assert (foreign.status, foreign.slug) == (503, "store-unavailable")
    assert (listed.status, listed.slug) == (503, "store-unavailable")
    assert "Retry-After" in listed.headers
    assert {"redis"} <= {alarm["code"] for alarm in status["alarms"]}
    assert (stopped.status, stopped.json) == (200, {"stopped": True})
