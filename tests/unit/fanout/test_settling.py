"""What a worker holds while it sends one chunk."""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from relay.adapter import Class, Descriptor, Kind, Outcome, Verdict
from relay.fanout.channels import OpenChannel
from relay.fanout.contents import LegFacts
from relay.fanout.outcome_log import Entry, entries
from relay.fanout.prepare import Group
from relay.fanout.retry import Handover, RetryPolicy, begin
from relay.fanout.segment import SEGMENT, Segment
from relay.fanout.settling import Job, Settling, Work
from relay.store.chunk import Chunk
from relay.store.receipts import Part
from relay.testing.items import make_item
from relay.tracking.reasons import code_of
from relay.tracking.receipts import provider_hash
from relay.tracking.states import Flag, Record, State

CHUNK = Chunk(
    member="leg|2|0|9",
    token="token",
    lane="sms",
    how="fresh",
    klass=Class.P1,
    flags=0,
    start_ms=0,
    expires_ms=1,
    leg_id="leg",
    segment=2,
    first=0,
    last=9,
)
HOW = Handover(kind=Kind.SMS, klass=Class.P1, idempotent=False, channel=3, now=100, expires=10_000)
POLICY = RetryPolicy(urgent=(2.0,), normal=(5.0,), jitter=0.0)


SEGMENT_TWO = Segment(np.arange(9, dtype=np.uint32), np.zeros(9, np.uint8), np.zeros(9, np.uint16), 2)


class Channel:
    def __init__(self, *, receipts: bool, two_way: bool) -> None:
        self.name = "sms-primary"
        self.two_way = two_way
        self.descriptor = Descriptor(name="x", kind=Kind.SMS, receipts=receipts)


class Facts:
    leg_id = "leg"


def a_group(*, receipts: bool = True, two_way: bool = False) -> Group:
    group = Group(cast("OpenChannel", Channel(receipts=receipts, two_way=two_way)))
    group.items = {p: make_item(p) for p in range(4)}
    group.records = {p: begin(Record(), channel=3) for p in range(4)}
    return group


def a_job() -> Job:
    return Job(Work(CHUNK), cast("LegFacts", Facts()), SEGMENT_TWO)


def logged(settling: Settling) -> list[Entry]:
    return list(entries(settling.log))


def test_earliest_debt_counts() -> None:
    """A chunk is claimed again when the first of its deliveries is due."""
    work = Work(CHUNK)
    for at in (900, 500, 700):
        work.owe(at)

    assert work.retry_at == 500


def test_accepted_message_can_be_found_by_its_parts() -> None:
    """Each provider id of a long message names its delivery, by rank, and its part."""
    settling = Settling({})
    settling.add(1, Outcome(verdict=Verdict.ACCEPTED, provider_ids=("a", "b")), a_group(), HOW, POLICY)
    record = settling.records[1]

    assert settling.provider_ids(a_job()) == {
        "sms-primary": {"a": Part(f"leg-{2 * SEGMENT + 1}", 0, 2), "b": Part(f"leg-{2 * SEGMENT + 1}", 1, 2)}
    }
    assert (record.state, record.provider) == (State.ACCEPTED, provider_hash("a"))
    assert [(e.position, e.text, e.state) for e in logged(settling)] == [(1, "a b", State.ACCEPTED)]


def test_ids_nobody_will_ask_for_are_not_registered() -> None:
    """A channel without receipts costs no memory; the log still keeps the ids for the operator."""
    settling = Settling({})
    settling.add(0, Outcome(verdict=Verdict.ACCEPTED, provider_ids=("a",)), a_group(receipts=False), HOW, POLICY)

    assert settling.provider_ids(a_job()) == {}
    assert [e.text for e in logged(settling)] == ["a"]


def test_usual_acceptance_is_a_short_entry() -> None:
    """Accepted with one id and nothing else: four bytes for an id of eight digits; the record has the rest."""
    settling, group = Settling({}), a_group()
    for position, provider_id in ((0, "0a1b2c3d"), (1, "0a1b2c3e")):
        settling.add(position, Outcome(verdict=Verdict.ACCEPTED, provider_ids=(provider_id,)), group, HOW, POLICY)

    assert len(settling.log) == 4 + 2 * 4
    assert [(e.position, e.provider_ids) for e in logged(settling)] == [(0, "0a1b2c3d"), (1, "0a1b2c3e")]
    assert [r.provider for r in settling.records.values()] == [provider_hash("0a1b2c3d"), provider_hash("0a1b2c3e")]
    assert {(r.state, r.send, r.attempt, r.channel, r.accepted) for r in settling.records.values()} == {
        (State.ACCEPTED, 1, 1, 3, 100)
    }


def test_second_providers_acceptance_is_told_whole() -> None:
    """Where a delivery may have gone out twice, the log says which of the two gave which id."""
    settling, group = Settling({}), a_group()
    group.records[0] = replace(group.records[0], flags=Flag.POSSIBLE_DUPLICATE)
    settling.add(0, Outcome(verdict=Verdict.ACCEPTED, provider_ids=("a",)), group, HOW, POLICY)

    assert [(e.channel, e.send, e.at) for e in logged(settling)] == [(3, 1, 100)]


def test_plain_delivery_needs_no_log() -> None:
    """The usual end of a webhook is in its record already."""
    settling = Settling({})
    settling.add(0, Outcome(verdict=Verdict.DELIVERED), a_group(), HOW, POLICY)

    assert settling.log == b""


def test_failure_is_logged_with_its_reason() -> None:
    """The log holds the adapter's own word, also one that has no code."""
    settling = Settling({})
    settling.add(2, Outcome(verdict=Verdict.REJECTED, reason="solar_flare"), a_group(), HOW, POLICY)
    entry = logged(settling)[0]

    assert (entry.position, entry.send, entry.channel, entry.at) == (2, 1, 3, 100)
    assert (entry.reason, entry.word, entry.provider_ids) == (code_of("other"), "solar_flare", "")


def test_opt_outs_are_gathered() -> None:
    """Who does not want to be told any more is known after the step."""
    settling = Settling({})
    settling.add(3, Outcome(verdict=Verdict.OPTED_OUT), a_group(), HOW, POLICY)

    assert settling.opted_out == [3]
    assert settling.records[3] == replace(settling.records[3], state=State.SUPPRESSED)


@pytest.mark.parametrize(
    ("two_way", "verdict", "told"),
    [(True, Verdict.ACCEPTED, 1), (True, Verdict.REJECTED, 0), (False, Verdict.ACCEPTED, 0)],
)
def test_who_may_answer(two_way: bool, verdict: Verdict, told: int) -> None:
    """Where people can answer, what they were sent is remembered by their address; what was not taken is not."""
    settling = Settling({})
    group = a_group(two_way=two_way)
    settling.add(3, Outcome(verdict=verdict), group, HOW, POLICY)

    assert settling.told == dict([(group.items[3].address, 3)][:told])
    assert a_job().delivery_id(3) == f"leg-{2 * SEGMENT + 3}"
