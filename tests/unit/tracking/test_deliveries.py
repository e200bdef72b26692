"""What became of every delivery, by pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
import pytest

from relay.fanout.ids import DeliveryRef
from relay.fanout.outcome_log import Entry
from relay.fanout.segment import Segment, segments
from relay.store.cursor import CANCELLED, EXPIRED, SUPERSEDED
from relay.store.legs import Leg
from relay.tracking.deliveries import MOST_SEGMENTS, Deliveries, Wanted, delivery_json
from relay.tracking.reasons import code_of
from relay.tracking.states import RECORD_BYTES, Flag, Record, State
from tests.unit.tracking.conftest import MakeLeg

CHANNELS = {1: "sms-primary"}


class FakeLegs:
    """Legs in memory: ``size`` deliveries each, all queued but those in ``written`` (rank → record)."""

    def __init__(self, sizes: Sequence[int], written: dict[int, Record] | None = None) -> None:
        self.written = written or {}
        self.log = b""
        total = sum(sizes)
        ordinals = np.arange(total, dtype=np.uint32)
        zeros = np.zeros(total, np.uint8)
        self._segments = list(segments(ordinals, zeros, zeros.astype(np.uint16)))

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(len(segment) for segment in self._segments)

    async def segment(self, leg_id: str, number: int) -> Segment:
        del leg_id
        return self._segments[number]

    async def records(self, leg_id: str, number: int, *, first: int, last: int) -> bytes:
        del leg_id
        ranks = range(number * 4000 + first, number * 4000 + last)
        empty = bytes(RECORD_BYTES)
        return b"".join(self.written[rank].pack() if rank in self.written else empty for rank in ranks)

    async def outcomes(self, leg_id: str, number: int) -> bytes:
        del leg_id, number
        return self.log

    async def channels(self) -> dict[str, int]:
        return {name: index for index, name in CHANNELS.items()}


class FakeDirectory:
    """Recipients whose ids are their ordinals."""

    async def get_many(self, ordinals: Sequence[int]) -> list[bytes]:
        return [orjson.dumps({"id": f"r{ordinal}"}) for ordinal in ordinals]


def reader(legs: FakeLegs) -> Deliveries:
    """Return a reader over memory."""
    return Deliveries(legs, FakeDirectory())  # type: ignore[arg-type]


async def walk(legs: FakeLegs, all_legs: Sequence[Leg], wanted: Wanted) -> tuple[list[str], int]:
    """Return the recipients over all pages, and how many pages there were."""
    rows: list[str] = []
    after, pages = None, 0
    while True:
        page = await reader(legs).page(all_legs, wanted, after=after)
        rows += [f"{row['id']} {row['recipient']}" for row in page.rows]
        pages += 1
        assert len(page.rows) <= wanted.limit
        if page.next is None:
            return rows, pages
        after = page.next


@pytest.mark.parametrize("limit", [1000, 4000, 999])
async def test_pages_hold_everything_once(make_leg: MakeLeg, limit: int) -> None:
    """Whatever the size of a page, walking gives every delivery of every leg once, in order."""
    legs = FakeLegs((9001,))
    both = [make_leg("a" * 13, sizes=legs.sizes), make_leg("b" * 13, sizes=legs.sizes)]
    rows, _ = await walk(legs, both, Wanted(limit=limit))

    assert rows == [f"{name * 13}-{rank} r{rank}" for name in "ab" for rank in range(9001)]


async def test_a_filter_by_state(make_leg: MakeLeg) -> None:
    """Only deliveries in that state are given, also from the middle of a segment on."""
    legs = FakeLegs((8500,), {rank: Record(state=State.FAILED) for rank in (5, 3999, 4000, 8499)})
    leg = make_leg(sizes=legs.sizes)
    rows, _ = await walk(legs, [leg], Wanted(state=State.FAILED, limit=2))
    queued, _ = await walk(legs, [leg], Wanted(state=State.QUEUED, limit=1000))

    assert [row.split()[1] for row in rows] == ["r5", "r3999", "r4000", "r8499"]
    assert len(queued) == 8496


async def test_a_filter_by_recipient_and_kind(make_leg: MakeLeg) -> None:
    """A recipient is found in whatever segment he is; another kind has none of them."""
    legs = FakeLegs((8500,))
    leg = make_leg(sizes=legs.sizes)

    assert (await walk(legs, [leg], Wanted(ordinal=8400)))[0] == [f"{leg.leg_id}-8400 r8400"]
    assert (await walk(legs, [leg], Wanted(kind="email")))[0] == []


async def test_a_rare_state_costs_bounded_pages(make_leg: MakeLeg) -> None:
    """A page looks at so many segments at most; the cursor goes on where it stopped."""
    legs = FakeLegs((4000 * (MOST_SEGMENTS + 3),), {4000 * (MOST_SEGMENTS + 1): Record(state=State.FAILED)})
    rows, pages = await walk(legs, [make_leg(sizes=legs.sizes)], Wanted(state=State.FAILED))

    assert len(rows) == 1
    assert pages == 2


async def test_a_stopped_leg_is_read_as_its_end(make_leg: MakeLeg) -> None:
    """In a closed leg whatever still waited is read as the leg's end, without a record of its own."""
    legs = FakeLegs((3,), {0: Record(state=State.DELIVERED, ended=100)})
    leg = make_leg(sizes=legs.sizes, flags=SUPERSEDED, rest=str(int(State.CANCELLED)), done="1772344860000")
    page = await reader(legs).page([leg], Wanted(), after=None)

    assert [row["state"] for row in page.rows] == ["delivered", "cancelled", "cancelled"]
    assert page.rows[1]["reason"] == "superseded"
    assert page.rows[1]["times"]["cancelled"] == "2026-03-01T06:01:00.000Z"


async def test_provider_ids_come_from_the_log(make_leg: MakeLeg) -> None:
    """The newest id of the provider is shown."""
    legs = FakeLegs((2,), {1: Record(state=State.ACCEPTED, send=2, channel=1)})
    legs.log = b"".join(
        Entry(position=1, state=State.ACCEPTED, send=n, channel=1, reason=0, at=n, text=f"id-{n}").pack()
        for n in (1, 2)
    )
    page = await reader(legs).page([make_leg(sizes=legs.sizes)], Wanted(), after=None)

    assert [row["provider_id"] for row in page.rows] == [None, "id-2"]
    assert page.rows[1]["channel"] == "sms-primary"


def row(leg: Leg, record: Record) -> dict[str, object]:
    """Return one delivery as the API shows it."""
    return delivery_json(leg, rank=7, record=record, recipient="r7", channels=CHANNELS, provider_id="")


def test_the_shape(make_leg: MakeLeg) -> None:
    """A delivery has the fields of design §16, its times counted from the start of its leg."""
    record = Record(
        state=State.DELIVERED, attempt=2, send=2, channel=1, flags=Flag.POSSIBLE_DUPLICATE, accepted=150, ended=6000
    )

    assert row(make_leg(), record) == {
        "id": str(DeliveryRef("a" * 13, 7)),
        "recipient": "r7",
        "kind": "sms",
        "channel": "sms-primary",
        "state": "delivered",
        "attempts": 2,
        "provider_id": None,
        "reason": None,
        "possible_duplicate": True,
        "times": {
            "queued": "2026-03-01T06:00:00.000Z",
            "accepted": "2026-03-01T06:00:01.500Z",
            "delivered": "2026-03-01T06:01:00.000Z",
        },
    }


def test_an_answer(make_leg: MakeLeg) -> None:
    """An acknowledged delivery shows the choice, and whether it came too late."""
    shown = row(make_leg(), Record(state=State.ACKNOWLEDGED, answer=2, ended=100, due=200, flags=Flag.LATE_ANSWER))

    assert (shown["answer"], shown["late"]) == ("2", True)
    assert shown["times"] == {
        "queued": "2026-03-01T06:00:00.000Z",
        "delivered": "2026-03-01T06:00:01.000Z",
        "acknowledged": "2026-03-01T06:00:02.000Z",
    }


def test_a_retry_says_when(make_leg: MakeLeg) -> None:
    """What will be tried again says why and when."""
    shown = row(make_leg(), Record(state=State.RETRYING, attempt=1, due=500, reason=code_of("connection_failed")))

    assert shown["reason"] == "connection_failed"
    assert shown["times"] == {"queued": "2026-03-01T06:00:00.000Z", "next_attempt": "2026-03-01T06:00:05.000Z"}


@pytest.mark.parametrize(
    ("flags", "rest", "reason"),
    [
        (CANCELLED, State.CANCELLED, "alert_cancelled"),
        (SUPERSEDED, State.CANCELLED, "superseded"),
        (EXPIRED, State.EXPIRED, "alert_expired"),
    ],
)
def test_why_a_stopped_leg_did_not_send(make_leg: MakeLeg, flags: int, rest: State, reason: str) -> None:
    """A delivery that its leg ended has the leg's reason."""
    assert row(make_leg(flags=flags, rest=str(int(rest))), Record())["reason"] == reason
