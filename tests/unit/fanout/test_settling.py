"""What a worker holds while it sends one chunk."""

from dataclasses import replace
from typing import cast

from relay.adapter import Class, Descriptor, Kind, Outcome, Verdict
from relay.fanout.channels import OpenChannel
from relay.fanout.contents import LegFacts
from relay.fanout.prepare import Group
from relay.fanout.retry import Handover, RetryPolicy, begin
from relay.fanout.segment import SEGMENT, Segment
from relay.fanout.settling import Job, Settling, Work
from relay.store.chunks import Chunk
from relay.store.receipts import Part
from relay.tracking.reasons import code_of
from relay.tracking.receipts import provider_hash
from relay.tracking.states import Record, State

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


class Channel:
    def __init__(self, *, receipts: bool) -> None:
        self.name = "sms-primary"
        self.descriptor = Descriptor(name="x", kind=Kind.SMS, receipts=receipts)


class Facts:
    leg_id = "leg"


def a_group(*, receipts: bool = True) -> Group:
    group = Group(cast("OpenChannel", Channel(receipts=receipts)))
    group.records = {p: begin(Record(), channel=3) for p in range(4)}
    return group


def a_job() -> Job:
    return Job(Work(CHUNK), cast("LegFacts", Facts()), cast("Segment", None))


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
    assert [(e.position, e.text, e.state) for e in settling.log] == [(1, "a b", State.ACCEPTED)]


def test_ids_nobody_will_ask_for_are_not_registered() -> None:
    """A channel without receipts costs no memory; the log still keeps the ids for the operator."""
    settling = Settling({})
    settling.add(0, Outcome(verdict=Verdict.ACCEPTED, provider_ids=("a",)), a_group(receipts=False), HOW, POLICY)

    assert settling.provider_ids(a_job()) == {}
    assert [e.text for e in settling.log] == ["a"]


def test_plain_delivery_needs_no_log() -> None:
    """The usual end of a webhook is in its record already."""
    settling = Settling({})
    settling.add(0, Outcome(verdict=Verdict.DELIVERED), a_group(), HOW, POLICY)

    assert settling.log == []


def test_failure_is_logged_with_its_reason() -> None:
    """The log holds what the provider said, also a word that has no code."""
    settling = Settling({})
    settling.add(2, Outcome(verdict=Verdict.REJECTED, reason="bad_address", detail="0x0B"), a_group(), HOW, POLICY)
    entry = settling.log[0]

    assert (entry.position, entry.send, entry.channel, entry.at) == (2, 1, 3, 100)
    assert (entry.reason, entry.text) == (code_of("bad_address"), "0x0B")


def test_opt_outs_are_gathered() -> None:
    """Who does not want to be told any more is known after the step."""
    settling = Settling({})
    settling.add(3, Outcome(verdict=Verdict.OPTED_OUT), a_group(), HOW, POLICY)

    assert settling.opted_out == [3]
    assert settling.records[3] == replace(settling.records[3], state=State.SUPPRESSED)
