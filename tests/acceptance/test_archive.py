"""Finished alerts leave Redis for the archive, and nobody who asks can tell, answers, cancels and restarts included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from redis.asyncio import Redis

from relay.fanout.ids import DeliveryRef
from relay.tracking import token
from tests.acceptance.agency_side import SENDER, Agency, alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import lines
from tests.acceptance.relay_side import Relay, until

PEOPLE = 200

#: What Redis holds of a relay that has nothing to do.
IDLE = ("c1:{dir}:", "c1:{ctl}:", "c1:{p0}:turn", "c1:{p0}:run", "c1:{p0}:bell:", "c1:{p0}:marks", "c1:{p0}:channels")


async def keys_of(relay: Relay) -> dict[str, int]:
    """Return every key in the relay's Redis with its time to live."""
    client = Redis(unix_socket_path=str(relay.data_dir / "redis" / "redis.sock"))
    try:
        names = [key.decode() async for key in client.scan_iter(count=1000)]
        return {name: await client.ttl(name) for name in names}
    finally:
        await client.aclose()


def left(keys: dict[str, int]) -> list[str]:
    """Return keys that would stay for ever, apart from those of an idle relay."""
    return sorted(name for name, ttl in keys.items() if ttl < 0 and not name.startswith(IDLE))


async def archived(relay: Relay) -> None:
    """Wait until nothing of any alert is in Redis."""

    async def empty() -> bool:
        return not left(await keys_of(relay))

    try:
        await until(empty, within=30, why="all alerts are archived")
    except AssertionError:
        raise AssertionError(f"still in Redis: {left(await keys_of(relay))[:20]}") from None


async def everything(agency: Agency, alert_id: str) -> dict[str, Any]:
    """Return all that the API says of an alert."""
    said: dict[str, Any] = {"deliveries": await agency.deliveries(alert_id)}
    for path in ("", "/why", "/deliveries?state=delivered&limit=3", "/deliveries?recipient=person-7"):
        answer = await agency.ask("GET", f"/v1/alerts/{alert_id}{path}")
        assert answer.status == 200, (path, answer.body)
        said[path] = answer.body
    return said


async def test_archived_alert_is_shown_as_before(make_relay: MakeRelay, console: Callable[..., dict[str, Any]]) -> None:
    """The same answers before and after, lists and cursors included; and again after a restart and a new index."""
    relay = make_relay(channels={"console": console()}, archive={"after": 4.0})
    async with on_duty(relay, people=PEOPLE) as agency:
        ids = [(await agency.post(alert(number))).body["id"] for number in range(5)]
        for alert_id in ids:
            await agency.completed(alert_id, within=20)
        before = [await everything(agency, alert_id) for alert_id in ids]
        listed = (await agency.ask("GET", "/v1/alerts")).body
        await archived(relay)
        after = [await everything(agency, alert_id) for alert_id in ids]
        listed_after = (await agency.ask("GET", "/v1/alerts")).body
        pages = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await agency.ask("GET", f"/v1/alerts?limit=2&cursor={cursor}")).body
            pages += [row["id"] for row in page["alerts"]]
            cursor = page["next"]
        await relay.stop()
        for file in (relay.data_dir / "archive").glob("index.sqlite*"):
            file.unlink()
        await relay.start()
        await until(lambda: agency.get("/v1/alerts"), within=20, why="Redis is back")
        restarted = [await everything(agency, alert_id) for alert_id in ids]

    assert after == before
    assert listed_after == listed
    assert pages == [row["id"] for row in listed["alerts"]]
    assert restarted == before


async def test_nothing_is_told_twice(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """A repeated post is a duplicate; a restart, ``kill -9`` and FLUSHALL bring nothing back from the journal."""
    relay = make_relay(channels={"console": console()}, archive={"after": 1.0})
    file = tmp_path / "sms.sent"
    async with on_duty(relay, people=PEOPLE) as agency:
        document = alert(1)
        alert_id = (await agency.post(document)).body["id"]
        await agency.completed(alert_id, within=20)
        await archived(relay)
        same = await agency.post(document)
        await relay.kill_everything()
        await relay.start()
        await until(lambda: agency.get("/v1/alerts"), within=20, why="Redis is back")
        again = await agency.post(document)
        client = Redis(unix_socket_path=str(relay.data_dir / "redis" / "redis.sock"))
        await client.execute_command("FLUSHALL")  # type: ignore[no-untyped-call]
        await client.aclose()
        other = (await agency.post(alert(2))).body["id"]
        await agency.completed(other, within=30)
        found = await agency.ask("GET", f"/v1/alerts/{alert_id}")

    assert [(a.status, a.body["id"], a.body["state"]) for a in (same, again)] == [(200, alert_id, "completed")] * 2
    assert found.body["counts"] == {"delivered": PEOPLE}
    assert lines(file) == 2 * PEOPLE


async def test_late_answer_is_kept(make_relay: MakeRelay, console: Callable[..., dict[str, Any]]) -> None:
    """The link of an archived alert opens its page and takes the answer, which is there after a restart too."""
    relay = make_relay(channels={"console": console()}, archive={"after": 1.0})
    async with on_duty(relay, people=3) as agency, aiohttp.ClientSession() as phone:
        alert_id = (await agency.post(alert(1))).body["id"]
        await agency.completed(alert_id, within=20)
        await archived(relay)
        row = (await agency.deliveries(alert_id))[1]
        ref = DeliveryRef.parse(row["id"])
        assert ref is not None
        link = f"/a/{token.make(ref, (relay.data_dir / 'ack.secret').read_bytes())}"
        async with phone.get(relay.url + link) as page:
            shown = (page.status, await page.text())
        async with phone.post(relay.url + link, json={"answer": "2"}) as answered:
            taken = (answered.status, await answered.json())
        now = (await agency.deliveries(alert_id))[1]
        await relay.kill_everything()
        await relay.start()
        await until(lambda: agency.get("/v1/alerts"), within=20, why="Redis is back")
        later = (await agency.deliveries(alert_id))[1]
        counts = (await agency.ask("GET", f"/v1/alerts/{alert_id}")).body["counts"]

    assert shown[0] == 200
    assert "Flood 0001" in shown[1]
    assert taken == (200, {"delivery_id": row["id"], "state": "acknowledged", "answer": "2"})
    assert (now["state"], now["answer"]) == ("acknowledged", "2")
    assert later == now
    assert counts == {"acknowledged": 1, "delivered": 2}


async def test_cancel_reaches_those_who_were_told(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """A Cancel of an archived alert brings it back, reaches exactly its people, and both are archived again."""
    relay = make_relay(channels={"console": console()}, archive={"after": 1.0})
    file = tmp_path / "sms.sent"
    async with on_duty(relay, people=PEOPLE) as agency:
        posted = alert(1)
        target = (await agency.post(posted)).body["id"]
        await agency.completed(target, within=20)
        await archived(relay)
        await agency.ask("PUT", "/v1/recipients/late", body=orjson.dumps(late_comer()))
        cancel = {
            **alert(2),
            "msgType": "Cancel",
            "references": [f"{SENDER},{posted['identifier']},{posted['sent']}"],
        }
        answer = await agency.post(cancel)
        await agency.completed(answer.body["id"], within=20)
        await archived(relay)
        both = [(await agency.ask("GET", f"/v1/alerts/{i}")).body for i in (target, answer.body["id"])]

    assert answer.status == 202
    assert (both[0]["state"], both[0]["chain"]["cancelled_by"]) == ("cancelled", both[1]["id"])
    assert both[1]["chain"]["references"] == [target]
    assert both[1]["counts"] == {"delivered": PEOPLE}
    assert lines(file) == 2 * PEOPLE


def late_comer() -> dict[str, Any]:
    """Return a recipient who came when the alert was over."""
    return {
        "id": "late",
        "languages": ["en"],
        "addresses": [{"kind": "sms", "value": "+77019999999"}],
        "location": {"lat": 43.25, "lon": 76.95},
    }


async def test_redis_ends_where_it_began(make_relay: MakeRelay, console: Callable[..., dict[str, Any]]) -> None:
    """Alerts, cancels, held and rejected ones, repeated posts and answers leave no key and no byte behind."""
    relay = make_relay(channels={"console": console(silent=True)}, archive={"after": 1.0})
    async with on_duty(relay, people=PEOPLE) as agency:
        await _many(agency, range(20))
        await archived(relay)
        before = await memory(relay)
        await _many(agency, range(20, 80))
        await archived(relay)
        after = await memory(relay)
        listed = (await agency.ask("GET", "/v1/alerts?limit=1000")).body["alerts"]

    assert len(listed) == 80 + 80 // 10 + 80 // 20
    assert abs(after - before) <= before * 0.02, (before, after)


async def _many(agency: Agency, numbers: range) -> None:
    """Post alerts; one in ten is cancelled, one in twenty is held and rejected, all are posted twice."""
    for number in numbers:
        document = alert(number, severity="Moderate", certainty="Likely", urgency="Expected")
        posted = await agency.post(document)
        same = await agency.post(document)
        assert (same.status, same.body["id"]) == (200, posted.body["id"])
        await agency.completed(posted.body["id"], within=20)
        if number % 10 == 0:
            cancel = await agency.ask("POST", f"/v1/alerts/{posted.body['id']}/cancel")
            await agency.completed(cancel.body["id"], within=20)
        if number % 20 == 0:
            held = alert(1000 + number)
            del held["info"][0]["area"]
            answer = await agency.post(held)
            decision = orjson.dumps({"decision": "reject", "reason": "no area"})
            said = await agency.ask("POST", f"/v1/alerts/{answer.body['id']}/approval", body=decision)
            assert said.body["state"] == "rejected"


async def memory(relay: Relay) -> int:
    """Return the bytes of Redis, those of its clients and of the log's buffer apart."""
    client = Redis(unix_socket_path=str(relay.data_dir / "redis" / "redis.sock"))
    try:
        readings = []
        for _ in range(8):
            info = await client.info("memory")
            readings.append(info["used_memory"] - info["mem_clients_normal"] - info["mem_aof_buffer"])
            await asyncio.sleep(0.05)
        return int(min(readings))
    finally:
        await client.aclose()
