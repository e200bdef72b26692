"""The node's memory: the same alert is known again, another one is never taken for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relay.intake.frames import Frame, FrameType
from relay.intake.memory import Identity, Kind, Known, Memory, decide
from relay.intake.records import AcceptRecord, encode
from relay.testing.clocks import START

FIRST = Identity(alert_id="a1", k0="bytes-1", k1="triple-1", k2="content-1")


def remembering(*identities: Identity) -> Memory:
    memory = Memory()
    for identity in identities:
        memory.add(identity, at=START)
    return memory


@pytest.mark.parametrize(
    ("other", "known"),
    [
        (FIRST, Known(Kind.SAME, "a1", "K0")),
        (Identity(alert_id="a1", k0="bytes-2", k1="triple-1", k2="content-1"), Known(Kind.SAME, "a1", "K2")),
        (Identity(alert_id="a1", k0="bytes-2", k1="triple-1", k2="content-2"), Known(Kind.CONFLICT, "a1", "K2")),
        (Identity(alert_id="a2", k0="bytes-2", k1="triple-1", k2="content-2"), Known(Kind.COLLISION, "a1", "K1")),
        (Identity(alert_id="a2", k0="bytes-2", k1="triple-2", k2="content-2"), Known(Kind.NEW)),
    ],
)
def test_the_table_of_duplicates(other: Identity, known: Known) -> None:
    """Same bytes, same content, same triple with other content, same triple with another core, another alert (§6)."""
    assert remembering(FIRST).look_up(other) == known


def test_the_store_decides_by_the_same_table() -> None:
    """The decision takes what any store knows; an alert is no collision with itself."""
    assert decide(FIRST, k0_id=None, k1_ids={"a1"}, known_k2=None) == Known(Kind.NEW)
    assert decide(FIRST, k0_id="zz", k1_ids=(), known_k2="content-9") == Known(Kind.SAME, "zz", "K0")
    assert decide(FIRST, k0_id=None, k1_ids={"a1", "a9", "a5"}, known_k2=None) == Known(Kind.COLLISION, "a5", "K1")


def test_what_came_first_stays() -> None:
    """A conflicting alert that is added by mistake does not replace the first one's content."""
    changed = Identity(alert_id="a1", k0="bytes-2", k1="triple-1", k2="content-2")
    memory = remembering(FIRST, changed)

    assert memory.look_up(Identity(alert_id="a1", k0="b", k1="triple-1", k2="content-1")).kind is Kind.SAME
    assert len(memory) == 1


def test_other_bytes_of_the_same_alert_are_known_too() -> None:
    """After a second form of the same alert was seen, its bytes alone are enough."""
    second = Identity(alert_id="a1", k0="bytes-2", k1="triple-1", k2="content-1")

    assert remembering(FIRST, second).look_up(second) == Known(Kind.SAME, "a1", "K0")


def test_a_triple_with_two_alerts_is_ambiguous() -> None:
    """A Cancel of such a triple must be shown both."""
    memory = remembering(FIRST, Identity(alert_id="a0", k0="bytes-2", k1="triple-1", k2="content-2"))

    assert memory.same_triple("triple-1") == ("a1", "a0")
    assert memory.same_triple("other") == ()


def test_memory_is_bounded_by_count() -> None:
    """The oldest are forgotten completely, with all their keys."""
    memory = Memory(most=2)
    identities = [Identity(alert_id=f"a{n}", k0=f"b{n}", k1="triple", k2=f"c{n}") for n in range(4)]
    for identity in identities:
        memory.add(identity, at=START)

    assert len(memory) == 2
    assert memory.same_triple("triple") == ("a2", "a3")
    assert memory.look_up(identities[0]) == Known(Kind.COLLISION, "a2", "K1")
    assert memory.look_up(identities[3]).kind is Kind.SAME


def test_memory_is_bounded_by_age() -> None:
    """What is older than a week is left to the store."""
    memory = remembering(FIRST)
    memory.add(Identity(alert_id="a2", k0="b2", k1="t2", k2="c2"), at=START + timedelta(days=7, seconds=1))

    assert memory.look_up(FIRST) == Known(Kind.NEW)
    assert len(memory) == 1


def test_the_journal_brings_the_memory_back() -> None:
    """After a restart without Redis the same alert is still known; an unreadable frame is counted, not fatal."""
    record = AcceptRecord(
        alert_id="a1",
        received_at=START,
        key_id="k",
        agency="meteo",
        content_type="application/cap+xml",
        k0="bytes-1",
        k1="triple-1",
        k2="content-1",
        raw=b"<alert/>",
    )
    frames = [
        Frame(1, FrameType.MARK, b"not looked at"),
        Frame(2, FrameType.ACCEPT, b"broken"),
        Frame(3, FrameType.ACCEPT, encode(record)),
    ]
    memory = Memory()

    assert memory.rebuild(frames) == 1
    assert memory.look_up(FIRST) == Known(Kind.SAME, "a1", "K0")
