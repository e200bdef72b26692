"""Ids are deterministic, short and safe in links and headers."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.adapter import Kind
from relay.fanout.ids import LEG_ID_LENGTH, DeliveryRef, leg_id, partition_of

LEG = leg_id("alert", kind=Kind.SMS, round_number=0)


def test_leg_id_is_deterministic() -> None:
    """Planning an alert again gives the same legs: applying twice is harmless."""
    assert leg_id("alert", kind=Kind.SMS, round_number=0) == LEG
    assert re.fullmatch(r"[a-z2-7]{13}", LEG)


def test_legs_differ() -> None:
    """Alert, kind and round each make another leg."""
    legs = {leg_id(a, kind=k, round_number=r) for a, k, r in product(["alert", "alert2"], Kind, range(20))}

    assert len(legs) == 2 * 3 * 20


@pytest.mark.parametrize("partition", [0, 1, 31])
def test_leg_id_names_its_partition(partition: int) -> None:
    """Whoever holds a delivery id knows where its leg is."""
    ref = DeliveryRef(leg_id("alert", kind=Kind.SMS, round_number=0, partition=partition), 7)

    assert ref.partition == partition


@given(st.integers(0, 10**10 - 1))
def test_delivery_id_reads_back(rank: int) -> None:
    """The text of a delivery reference reads back as itself, and is safe in a URL and a header."""
    ref = DeliveryRef(LEG, rank)

    assert DeliveryRef.parse(str(ref)) == ref
    assert re.fullmatch(r"[a-z2-7]{13}-\d{1,10}", str(ref))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        LEG,
        f"{LEG}-",
        f"{LEG}--1",
        f"{LEG}-01",
        f"{LEG}-1 ",
        f"{LEG}-+1",
        f"{LEG}-1_0",
        f"{LEG}-٣",
        f"{LEG}-²",
        f"{LEG}-12345678901",
        f"{LEG[:-1]}-1",
        f"{LEG}a-1",
        f"{LEG[:-1]}8-1",
        f"{LEG.upper()}-1",
        f"{LEG[:-1]}\n-1",
    ],
)
def test_anything_else_is_no_delivery(text: str) -> None:
    """Each delivery has exactly one id; all other text is refused without an exception."""
    assert DeliveryRef.parse(text) is None


@given(st.text(max_size=40))
def test_text_from_outside_is_harmless(text: str) -> None:
    """Any text is answered with a reference that writes itself the same way, or with None."""
    ref = DeliveryRef.parse(text)

    assert ref is None or (str(ref) == text and len(ref.leg_id) == LEG_ID_LENGTH)


def test_one_partition_is_zero() -> None:
    """Without a cluster everything is in partition 0."""
    assert partition_of("duty@meteo.example", 1) == 0


def test_senders_spread_and_stay() -> None:
    """A sender is always in the same partition, and many senders use all of them."""
    senders = [f"duty{n}@meteo.example" for n in range(200)]
    found = [partition_of(sender, 8) for sender in senders]

    assert set(found) == set(range(8))
    assert found == [partition_of(sender, 8) for sender in senders]
