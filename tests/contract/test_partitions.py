"""Several partitions as one: found by id, listed in order, claimed by urgency, silenced across senders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from relay.adapter import Class, Kind
from relay.fanout.ids import leg_id
from relay.store.alerts import Alerts, StoredAlert
from relay.store.chunk import Chunk
from relay.store.chunks import Chunks
from relay.store.connection import Connection
from relay.store.cursor import Cursor
from relay.store.legs import Legs, NewLeg, Publication
from relay.store.new_alert import NewAlert
from relay.store.partitions import Partitions, home_of
from tests.contract.engine_side import an_alert, wall_ms


class Spread:
    """Stores over several partitions, as one process sees them; another process remembers nothing of it."""

    def __init__(self, redis: Connection) -> None:
        self.redis = redis
        self.keys = Partitions(3)
        self.alerts = Alerts(redis, self.keys)
        self.legs = Legs(redis, self.keys)
        self.chunks = Chunks(redis, self.keys)

    async def alert(self, place: int, alert_id: str, **changes: object) -> NewAlert:
        """Accept an alert in a partition."""
        fields = {"sender": sender_in(self.keys, place), **changes.pop("fields", {})}  # type: ignore[dict-item]
        made = replace(an_alert(alert_id, **changes), fields=fields)
        await self.alerts.accept(made)
        return made

    async def leg(self, place: int, klass: Class, *, total: int = 500) -> str:
        """Publish a leg of a class in a partition; its alert has the leg's id."""
        number = (place, klass)
        alert_id = f"alert-{number}"
        await self.alert(place, alert_id, klass=klass)
        made = leg_id(alert_id, kind=Kind.SMS, round_number=0, partition=place)
        now = wall_ms()
        cursor = Cursor(klass=klass, expires=now + 3_600_000, start=now, sizes=(total,))
        fields = {"alert": alert_id, "kind": "sms"}
        plan = Publication(legs=[NewLeg(leg_id=made, lane="sms", cursor=cursor, fields=fields)], recipients=1)
        assert await self.legs.publish(alert_id, plan, now_ms=now) == "active"
        return made

    async def claims(self, count: int, *, most: int = 100) -> list[Chunk]:
        """Claim chunks, asking as often as a lane does."""
        found: list[Chunk] = []
        for number in range(20 * count):
            claimed = await self.chunks.claim(
                "sms", token=f"t{number}", most=most, lease_ms=9000, flash_ms=9000, fence_ms=0, urgent=False
            )
            if isinstance(claimed.found, Chunk):
                found.append(claimed.found)
            if len(found) == count:
                break
        return found


def sender_in(keys: Partitions, place: int) -> str:
    return next(s for s in (f"desk-{n}@meteo.example" for n in range(100)) if keys.of_sender(s).number == place)


@pytest.fixture
def spread(redis: Connection) -> Spread:
    return Spread(redis)


async def test_alert_is_found_by_its_id(spread: Spread, redis: Connection) -> None:
    """Another process, that did not accept it, finds it where it is."""
    for place in range(3):
        await spread.alert(place, f"alert-{place}")
    other = Spread(redis)
    found = [await other.alerts.get(f"alert-{place}") for place in range(3)]
    homes = [(await home_of(redis, other.keys, f"alert-{place}")).number for place in range(3)]

    assert [alert["id"] for alert in found if alert is not None] == ["alert-0", "alert-1", "alert-2"]
    assert homes == [0, 1, 2]
    assert await other.alerts.get("nobody") is None


async def test_pages_are_merged(spread: Spread) -> None:
    """Newest first over all partitions, page by page, nothing twice and nothing left out."""
    start = wall_ms()
    for number in range(20):
        await spread.alert(number % 3, f"alert-{number:02}", received_ms=start + number // 2)
    seen: list[str] = []
    cursor = ""
    while True:
        page, cursor = await spread.alerts.page(before=cursor, limit=7)
        seen += [alert["id"] for alert in page]
        if not cursor:
            break

    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 20


async def test_worst_news_is_claimed_first_wherever_it_is(spread: Spread) -> None:
    """Once every partition was looked at: P1 before P3 before P4, and a flash that rings before all of them."""
    await spread.leg(0, Class.P4)
    await spread.leg(1, Class.P1)
    await spread.leg(2, Class.P3)
    first = await spread.claims(3)
    await spread.leg(0, Class.P0, total=100)
    spread.chunks.work_in("sms", 0)
    then = [chunk.klass for chunk in await spread.claims(6)]

    assert {chunk.klass for chunk in first} == {Class.P4, Class.P1, Class.P3}
    assert then == [Class.P0, *[Class.P1] * 4, Class.P3]


async def test_everything_is_claimed_once(spread: Spread) -> None:
    """Legs of all partitions are covered, each range by one chunk; then there is rest."""
    for place, klass in ((0, Class.P4), (1, Class.P1), (2, Class.P3), (2, Class.P1)):
        await spread.leg(place, klass)
    chunks = await spread.claims(20)
    members = [chunk.member for chunk in chunks]

    assert len(set(members)) == len(members) == 20
    assert sum(chunk.last - chunk.first for chunk in chunks) == 2000
    assert await spread.claims(1) == []


async def test_leases_of_several_partitions_are_renewed_at_once(spread: Spread) -> None:
    """Each in its own slot; the answers come in the order of the chunks, and a lost one is known."""
    for place in range(3):
        await spread.leg(place, Class.P1, total=100)
    chunks = await spread.claims(3)
    lost = replace(chunks[1], token="another")

    assert await spread.chunks.renew([chunks[0], lost, chunks[2]], lease_ms=9000, flash_ms=9000) == [0, -1, 0]


async def referring(spread: Spread, kind: str, target: NewAlert, *, place: int, **changes: object) -> NewAlert:
    """Accept a Cancel or Update in one partition of an alert in another."""
    fields = {"referenced": target.k1, "referenced_from": target.fields["sender"]}
    return await spread.alert(place, kind.lower(), msg_type=kind, referenced=(target.k1,), fields=fields, **changes)


@pytest.mark.parametrize(("kind", "state"), [("Cancel", "cancelled"), ("Update", "superseded")])
async def test_word_of_another_sender_before_its_alert(spread: Spread, kind: str, state: str) -> None:
    """The relay's own Cancel names another sender than the alert: it silences it all the same, should that come later."""
    target = replace(an_alert("target"), fields={"sender": sender_in(spread.keys, 0)})
    made = await referring(spread, kind, target, place=2)
    remembered = await spread.alerts.accept(target)

    assert remembered.state == state
    assert await spread.alerts.referrers(target.k1) == [(kind, made.alert_id)]
    assert await spread.alerts.by_triples([target.k1]) == {target.k1: ("target",)}


async def test_held_word_silences_nobody_until_it_is_approved(spread: Spread) -> None:
    """An approval makes it known in the partition of its target."""
    target = replace(an_alert("target"), fields={"sender": sender_in(spread.keys, 1)})
    await referring(spread, "Cancel", target, place=2, state="held")
    before = await spread.alerts.referrers(target.k1)
    stored = await spread.alerts.get("cancel")
    assert stored is not None
    state = await spread.alerts.decide(
        stored, decision="approve", by="k", reason="", now_ms=wall_ms(), node="node", number=2
    )

    assert before == []
    assert state == "accepted"
    assert await spread.alerts.referrers(target.k1) == [("Cancel", "cancel")]


async def test_decision_before_its_alert(spread: Spread) -> None:
    """Nobody knows where the alert will be: the word waits for it everywhere."""
    words: Sequence[str] = [
        await spread.alerts.decide(
            StoredAlert({"id": "late"}), decision="reject", by="k", reason="", now_ms=wall_ms(), node="node", number=1
        )
    ]
    await spread.alert(2, "late", state="held")

    assert words == ["unknown"]
    assert await spread.alerts.state("late") == "rejected"


async def test_waiting_deliveries_of_all_partitions_are_counted(spread: Spread) -> None:
    """The status page shows one figure for each class."""
    for place in range(3):
        await spread.leg(place, Class.P2, total=100)
    waiting = await spread.legs.waiting(["sms"])

    assert waiting[Class.P2][0] == 300
    assert waiting[Class.P1] == (0, 0.0)


async def test_legs_to_look_after_are_found_everywhere(spread: Spread) -> None:
    """In a few looks every partition was asked."""
    legs = [await spread.leg(place, Class.P1, total=100) for place in range(3)]
    for leg in legs:
        await spread.legs.check_again(leg, at_ms=1)
    found = [leg for _ in range(3) for leg in await spread.legs.take_checks(put_off_ms=5000, most=16)]

    assert sorted(found) == sorted(legs)
    assert [leg.leg_id for leg in await spread.legs.get_many(legs) if leg is not None] == legs
