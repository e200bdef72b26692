"""Settling: counts are current states, they always sum to the total, and nothing is counted twice."""

import asyncio
import random
from dataclasses import replace

import pytest

from relay.adapter import Class
from relay.fanout.outcome_log import Entry, accepted, entries
from relay.store.chunk import Chunk
from relay.store.settlement import Settlement
from relay.tracking.states import EMPTY, Flag, Record, State, merge
from tests.contract.engine_side import LANE, Engine, new_leg, wall_ms

SENT = Record(state=State.DELIVERED, send=1, ended=1)
QUEUED = State.QUEUED


async def stored(engine: Engine, chunk: Chunk) -> dict[int, Record]:
    """Return what Redis holds of a chunk's positions that were written."""
    data = await engine.legs.records(chunk.leg_id, chunk.segment, first=chunk.first, last=chunk.last)
    cells = [data[i : i + 24] for i in range(0, len(data), 24)]
    return {chunk.first + i: Record.unpack(cell) for i, cell in enumerate(cells) if cell != EMPTY}


def outcomes(chance: random.Random, positions: range) -> dict[int, Record]:
    """Return a random outcome for some of the positions."""
    return {
        p: Record(state=chance.choice(list(State)[1:]), send=chance.randrange(1, 4), ended=chance.randrange(5))
        for p in positions
        if chance.random() < 0.7
    }


async def test_outcomes_are_stored_and_counted(engine: Engine) -> None:
    """What was settled is read back, the counts are those of the states, and the rest is queued."""
    leg = await engine.leg([100])
    chunk = await engine.claim(most=50)
    records = {p: Record(state=State.ACCEPTED, send=1, accepted=p + 1, provider=p) for p in range(30)}
    records[20] = Record(state=State.FAILED, send=1, reason=26, ended=9)
    settled = await engine.settle(chunk, records, size=100)

    assert (settled.flags, settled.lost, settled.done) == (0, False, False)
    assert await stored(engine, chunk) == records
    assert await engine.counts(leg) == {State.ACCEPTED: 29, State.FAILED: 1, QUEUED: 70}


async def test_records_are_made_at_full_length(engine: Engine) -> None:
    """The first write makes the whole segment's string: later ones never move it."""
    leg = await engine.leg([100])
    await engine.settle(await engine.claim(most=5), {2: SENT}, size=100)

    assert await engine.redis.call("STRLEN", engine.keys.records(leg, 0)) == 2400


async def test_both_ways_count_alike(engine: Engine) -> None:
    """Writing into an empty range and merging record by record give the same bytes and the same counts."""
    await engine.leg([200], alert_id="fast")
    fast = await engine.claim()
    await engine.leg([200], alert_id="slow")
    slow = await engine.claim()
    chance = random.Random(5)
    records = {p: r for p in range(200) for r in [Record(state=chance.choice(list(State)), send=1)]}
    await engine.settle(fast, records, alert_id="fast")
    # One delivery told first makes the range not empty; leaving gaps does too.
    await engine.settle(slow, {0: records[0]}, alert_id="slow", final=False)
    await engine.settle(slow, {p: r for p, r in records.items() if p % 2}, alert_id="slow", final=False)
    await engine.settle(slow, records, alert_id="slow")

    assert await engine.counts(fast.leg_id) == await engine.counts(slow.leg_id)
    assert await stored(engine, fast) == await stored(engine, slow)


@pytest.mark.parametrize("seed", range(4))
async def test_counts_are_those_of_the_merged_states(engine: Engine, seed: int) -> None:
    """After any writes, repeated and out of order, counts equal the states, sum to the total, and nothing counts twice."""
    chance = random.Random(seed)
    leg = await engine.leg([300])
    chunk = await engine.claim()
    model: dict[int, Record] = {}
    told: list[dict[int, Record]] = []
    for _ in range(25):
        records = chance.choice(told) if told and chance.random() < 0.3 else outcomes(chance, _some(chance))
        told.append(records)
        await engine.settle(chunk, records, size=300, final=False, leased=chance.random() < 0.5)
        for position, record in records.items():
            model[position] = merge(model.get(position, Record()), record)
        counts = (await engine.known(leg)).counts
        assert sum(counts.values()) == 300
    states = [model.get(p, Record()).state for p in range(300)]
    facts = (await engine.known(leg)).facts

    assert await engine.counts(leg) == {s: states.count(s) for s in State if states.count(s)}
    assert int(facts["ended"]) == sum(s.terminal for s in states)
    assert await stored(engine, chunk) == model


def _some(chance: random.Random) -> range:
    first = chance.randrange(300)
    return range(first, min(300, first + chance.choice([1, 10, 150])))


async def test_replayed_settle_counts_once(engine: Engine) -> None:
    """A settle whose reply was lost is sent again: same records, same counts, done only once."""
    leg = await engine.leg([3])
    chunk = await engine.claim()
    records = dict.fromkeys(range(3), SENT)
    first = await engine.settle(chunk, records)
    second = await engine.settle(chunk, records)
    alert = await engine.alerts.get("alert")

    assert (first.done, second.done) == (True, False)
    assert await engine.counts(leg) == {State.DELIVERED: 3}
    assert alert is not None
    assert alert.number("legs_open") == 0


async def test_last_delivery_completes_leg_and_alert(engine: Engine) -> None:
    """An alert is complete when all deliveries of all its legs are terminal, not before."""
    legs = [new_leg([2]), new_leg([1], lane="email", round_number=1)]
    await engine.alert("alert", legs)
    sms, email = await engine.claim(), (await engine.try_claim(lane="email")).found
    assert isinstance(email, Chunk)
    waiting = await engine.settle(sms, {0: SENT, 1: Record(state=State.ACCEPTED, send=1)})
    half = await engine.settle(sms, {1: SENT}, leased=False)
    between = await engine.state()
    last = await engine.settle(email, {0: SENT})

    assert (waiting.done, half.done, last.done) == (False, True, True)
    assert (between, await engine.state()) == ("active", "completed")


async def test_alert_that_still_waits_is_not_complete(engine: Engine) -> None:
    """A cancel whose audience is not whole yet stays active when its first legs are done."""
    await engine.alert("alert", [new_leg([1])], waits="something")
    await engine.settle(await engine.claim(), {0: SENT})
    between = await engine.state()
    published = await engine.alert("alert", [], number=1)

    assert between == "active"
    assert published == await engine.state() == "completed"


async def test_final_settle_gives_the_lease_back(engine: Engine) -> None:
    """After the last settle nobody holds the chunk, and nobody gets it again."""
    leg = await engine.leg([10])
    chunk = await engine.claim()
    await engine.settle(chunk, {0: SENT}, size=10)

    assert (await engine.known(leg)).cursor.leased == 0
    assert await engine.legs.covered(await engine.known(leg)) == ([], [])
    await engine.nothing()


async def test_middle_settle_keeps_the_lease(engine: Engine) -> None:
    """Settling in the middle extends the lease; the chunk stays this worker's."""
    await engine.leg([10])
    chunk = await engine.claim(lease_ms=300)
    await engine.settle(chunk, {0: SENT}, size=10, final=False)
    end = float(await engine.redis.call("ZSCORE", engine.keys.leases(LANE, Class.P1), chunk.member))

    assert end - wall_ms() > 9_000


async def test_retry_entry_is_made_with_the_last_settle(engine: Engine) -> None:
    """What the chunk still owes is claimed again at the earliest due time; a middle settle makes no entry."""
    leg = await engine.leg([10])
    chunk = await engine.claim()
    due = wall_ms() + 5_000
    records = {0: Record(state=State.RETRYING, send=1, due=500)}
    await engine.settle(chunk, records, size=10, final=False, retry_at=due)
    between = await engine.legs.covered(await engine.known(leg))
    await engine.settle(chunk, {}, size=10, retry_at=due)
    score = await engine.redis.call("ZSCORE", engine.keys.retries(LANE, Class.P1), chunk.member)

    assert between == ([chunk.member], [])
    assert await engine.legs.covered(await engine.known(leg)) == ([], [chunk.member])
    assert float(score) == due


async def test_lost_lease_still_tells_the_truth(engine: Engine) -> None:
    """A worker whose lease was taken over still records what it sent, and changes nothing of the new lease."""
    leg = await engine.leg([10])
    stale = await engine.claim()
    await engine.redis.call("ZADD", engine.keys.leases(LANE, Class.P1), 1, stale.member)
    fresh = await engine.claim()
    settled = await engine.settle(stale, {0: SENT}, size=10, retry_at=1)

    assert settled.lost
    assert await engine.counts(leg) == {State.DELIVERED: 1, QUEUED: 9}
    assert await engine.legs.covered(await engine.known(leg)) == ([fresh.member], [])
    assert (await engine.known(leg)).cursor.leased == 1


async def test_unknown_leg_is_said_so(engine: Engine) -> None:
    """A settle after FLUSHALL changes nothing and says that the leg is not known."""
    await engine.leg([10])
    chunk = await engine.claim()
    await engine.redis.call("FLUSHALL")
    settlement = Settlement(
        leg_id=chunk.leg_id,
        alert_id="alert",
        lane=LANE,
        klass=Class.P1,
        segment=0,
        size=10,
        records={0: SENT},
        chunk=chunk,
    )

    assert await engine.chunks.settle(settlement) is None
    assert await engine.redis.call("DBSIZE") == 0


async def test_flags_of_the_leg_come_back(engine: Engine) -> None:
    """A sender hears of a cancel with its next settle."""
    await engine.leg([10])
    chunk = await engine.claim()
    alert = await engine.alerts.get("alert")
    assert alert is not None
    await engine.alerts.stop(alert, state="cancelled", cause="cancel")
    settled = await engine.settle(chunk, {0: SENT}, size=10, final=False)

    assert settled.flags == 1


@pytest.mark.parametrize("how", ["cancelled", "expired"])
async def test_doubt_that_ends_with_its_leg_was_possibly_sent(engine: Engine, how: str) -> None:
    """Cancelled while nobody knew whether a hand-over arrived: it is not called cancelled, for it may have been read."""
    leg = await engine.leg([10], expires_in=0.2 if how == "expired" else 3600)
    chunk = await engine.claim()
    if how == "cancelled":
        alert = await engine.alerts.get("alert")
        assert alert is not None
        await engine.alerts.stop(alert, state="cancelled", cause="cancel")
    else:
        await asyncio.sleep(0.25)
    doubtful = Record(state=State.RETRYING, send=1, attempt=1, flags=Flag.IN_DOUBT, due=500, channel=3, route=1)
    sure = Record(state=State.RETRYING, send=1, attempt=1, due=500)
    await engine.settle(chunk, {1: doubtful, 2: sure}, size=10)
    records = await stored(engine, chunk)

    assert replace(records[1], ended=0) == replace(doubtful, state=State.POSSIBLY_SENT, due=0)
    assert 0 < records[1].ended < 1000
    assert records[2] == sure
    assert (await engine.counts(leg))[State.POSSIBLY_SENT] == 1


async def test_receipt_needs_no_lease(engine: Engine) -> None:
    """A receipt while the chunk is leased is merged beside it, and the sender's later word does not undo it."""
    leg = await engine.leg([10])
    chunk = await engine.claim()
    await engine.settle(chunk, {4: Record(state=State.DELIVERED, ended=7)}, size=10, leased=False)
    await engine.settle(chunk, {4: Record(state=State.ACCEPTED, send=1, accepted=5, channel=2)}, size=10)

    assert await engine.counts(leg) == {State.DELIVERED: 1, QUEUED: 9}
    assert (await stored(engine, chunk))[4] == Record(
        state=State.DELIVERED, send=1, accepted=5, channel=2, ended=7, flags=Flag(0)
    )


async def test_outcome_log_grows(engine: Engine) -> None:
    """Provider ids and attempts are appended in the order in which they were settled."""
    await engine.leg([10])
    chunk = await engine.claim()
    told = [
        Entry(position=n, state=State.ACCEPTED, send=1, channel=1, reason=0, at=n, text=f"id-{n}") for n in range(3)
    ]
    for entry in told:
        await engine.chunks.settle(
            Settlement(
                leg_id=chunk.leg_id,
                alert_id="alert",
                lane=LANE,
                klass=Class.P1,
                segment=0,
                size=10,
                records={entry.position: SENT},
                log=entry.pack(),
            )
        )

    assert list(entries(await engine.legs.outcomes(chunk.leg_id, 0))) == told


async def test_second_segment_is_apart(engine: Engine) -> None:
    """Positions count within their segment."""
    leg = await engine.leg([4000, 10])
    for _ in range(8):
        await engine.claim()
    chunk = await engine.claim()
    await engine.settle(chunk, {3: SENT})
    first = await engine.legs.records(leg, 0, first=0, last=10)

    assert (chunk.segment, chunk.first) == (1, 0)
    assert first == bytes(240)
    assert list(await stored(engine, chunk)) == [3]


async def test_early_look_is_brought_forward_only(engine: Engine) -> None:
    """``check_at`` brings the next look forward, and never puts it off."""
    leg = await engine.leg([10])
    chunk = await engine.claim()
    base = {
        "leg_id": leg,
        "alert_id": "alert",
        "lane": LANE,
        "klass": Class.P1,
        "segment": 0,
        "size": 10,
        "records": {},
        "chunk": chunk,
    }
    soon, late = wall_ms() + 1000, wall_ms() + 7_200_000
    for at in (late, soon, late):
        await engine.chunks.settle(Settlement(**base, lease_ms=1000, check_at=at))  # type: ignore[arg-type]

    assert float(await engine.redis.call("ZSCORE", engine.keys.checks, leg)) == soon


async def test_log_of_a_chunk_that_is_given_back_has_no_spare_room(engine: Engine) -> None:
    """Appending gives a string twice the room it needs; with the last batch of a chunk that ends, and nothing is lost."""
    leg = await engine.leg([500])
    chunk = await engine.claim()
    told = [(n, f"{n:016x}") for n in range(320)]
    sizes = []
    for start in range(0, 320, 64):
        await engine.chunks.settle(
            Settlement(
                leg_id=leg,
                alert_id="alert",
                lane=LANE,
                klass=Class.P1,
                segment=0,
                size=500,
                records=dict.fromkeys(range(start, start + 64), SENT),
                chunk=chunk,
                final=start == 256,
                lease_ms=10_000,
                log=accepted(told[start : start + 64]),
            )
        )
        sizes.append(await engine.redis.call("MEMORY", "USAGE", engine.keys.outcomes(leg, 0)))

    assert [e.text for e in entries(await engine.legs.outcomes(leg, 0))] == [text for _, text in told]
    assert sizes[-1] <= 320 * 8.1 * 1.25 + 150
    assert await engine.redis.call("EXISTS", engine.keys.outcomes_copy(leg, 0)) == 0
