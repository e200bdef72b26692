"""The index: who is in it, where, in which groups and under which names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from relay.adapter import Kind
from relay.cap.area import geocode_key
from relay.directory.index import Index, hazard_mask, slots_of
from relay.directory.recipient import HAZARDS, Recipient

Make = Callable[..., Recipient]


def who(mask: np.ndarray) -> list[int]:
    return [int(ordinal) for ordinal in np.flatnonzero(mask)]


def test_rows_say_what_the_recipient_said(make: Make) -> None:
    """Every field that matching needs is in the row of the ordinal."""
    index = Index()
    index.upsert(
        5,
        make(languages=["kk", "ru"], min_severity="Severe", hazards=["Geo", "Met"], drills=True, policy="first"),
        denied=0b10,
    )

    columns = index.columns
    assert (len(index), index.span, len(columns)) == (1, 6, 6)
    assert (columns.lat[5], columns.lon[5], columns.severity[5], columns.denied[5]) == (43, 77, 3, 2)
    assert (bool(columns.drills[5]), int(columns.hazards[5])) == (True, 0b11)
    assert index.language_lists[columns.languages[5]] == ("kk", "ru")
    assert index.reaches[columns.reach[5]] == ("first", "sms")
    assert who(columns.alive) == [5]


def test_recipient_without_a_place(make: Make) -> None:
    """No location is nowhere, not 0° north 0° east."""
    index = Index()
    index.upsert(0, make(location=None), denied=0)

    assert np.isnan(index.columns.lat[0])
    assert np.isnan(index.columns.lon[0])


def test_replacing_leaves_nothing_behind(make: Make) -> None:
    """An edit takes the old groups, places, names and opt-outs away, and counts nobody twice."""
    index = Index()
    code = {"scheme": "ISO3166-2", "value": "KZ-75"}
    addresses = [("sms", "+77010000001"), ("email", "a@b.example"), ("sms", "+77010000002")]
    index.upsert(0, make(groups=["rescue"], geocodes=[code], addresses=addresses), denied=0b111)
    index.upsert(0, make(groups=["school"]), denied=0)

    assert len(index) == 1
    assert who(index.in_groups(["rescue"])) == []
    assert who(index.in_groups(["school", "rescue"])) == [0]
    assert who(index.in_places({geocode_key("iso3166-2", "KZ-75")})) == []
    assert who(index.named(["+77010000001", "+77010000002", "a@b.example"])) == []
    assert who(index.named(["+77010000007"])) == [0]
    assert int(index.columns.denied[0]) == 0


def test_removed_recipient_is_found_by_nothing(make: Make) -> None:
    """Who was deleted is in no group, no place and under no name; deleting him again is harmless."""
    index = Index()
    index.upsert(0, make(groups=["rescue"], geocodes=[{"scheme": "x", "value": "1"}]), denied=0)
    index.remove(0)
    index.remove(0)
    index.remove(99)

    assert (len(index), index.span) == (0, 1)
    for mask in (index.in_groups(["rescue"]), index.in_places({("x", "1")}), index.named(["a", "+77010000007"])):
        assert who(mask) == []


def test_names(make: Make) -> None:
    """Ids and numbers are compared as they stand, mailboxes without regard to case."""
    index = Index()
    index.upsert(0, make("Rescue-7", addresses=[("email", "Duty@Rescue7.example")]), denied=0)
    index.upsert(3, make("b", addresses=[("sms", "+77010000008"), ("webhook", "https://b.example/Hook")]), denied=0)

    assert who(index.named(["duty@RESCUE7.example"])) == [0]
    assert who(index.named(["Rescue-7", "https://b.example/Hook"])) == [0, 3]
    assert who(index.named(["rescue-7", "https://b.example/hook", ""])) == []
    assert who(index.named([])) == []


def test_same_groups_in_another_order_share_a_number(make: Make) -> None:
    """A million recipients of ten groups do not make a million lists."""
    index = Index()
    index.upsert(0, make(groups=["a", "b"]), denied=0)
    index.upsert(1, make(groups=["b", "a", "b"]), denied=0)

    assert index.columns.groups[0] == index.columns.groups[1]


def test_opting_out(make: Make) -> None:
    """An opt-out adds its slot and keeps the others; one of somebody unknown is harmless."""
    index = Index()
    index.upsert(0, make(), denied=0b1)
    index.deny(0, 7)
    index.deny(9, 0)

    assert int(index.columns.denied[0]) == 0b1000_0001


def test_many_come_back_as_they_were(make: Make) -> None:
    """A restored index has everything of the dumped one, and later changes of the one do not reach the other."""
    index = Index()
    for ordinal in range(0, 3_000, 3):
        index.upsert(
            ordinal, make(f"r{ordinal}", groups=[f"g{ordinal % 7}"], languages=["kk"] * (ordinal % 2)), denied=0
        )
    index.remove(3)
    again = Index.restore(index.dump())
    index.remove(6)

    assert (len(again), again.span) == (999, index.span)
    assert who(again.in_groups(["g6"])) == who(index.in_groups(["g6"]) | (np.arange(index.span) == 6))
    assert who(again.named(["r9", "r3"])) == [9]
    again.upsert(5_000, make("new"), denied=0)
    assert len(again) == 1_000


@pytest.mark.parametrize(
    ("categories", "mask"),
    [((), 0xFFFF), (("Geo",), 1), (("Geo", "Geo", "Other"), 1 | 1 << 11), (("Volcano",), 0xFFFF), (HAZARDS, 0xFFF)],
)
def test_hazards(categories: tuple[str, ...], mask: int) -> None:
    """No category, and one that CAP does not name, reads as every hazard."""
    assert hazard_mask(categories) == mask


MIXED = ("first", "sms", "email", "sms", "webhook")


@pytest.mark.parametrize(
    ("reach", "denied", "kind", "rounds"),
    [
        (("all", *MIXED[1:]), 0, Kind.SMS, [0b0101, 0, 0]),
        (("all", *MIXED[1:]), 0, Kind.WEBHOOK, [0b1000, 0, 0]),
        (("all", *MIXED[1:]), 0b0001, Kind.SMS, [0b0101, 0, 0]),
        (MIXED, 0, Kind.SMS, [0b0101, 0, 0]),
        (MIXED, 0, Kind.EMAIL, [0, 0b0010, 0]),
        (MIXED, 0, Kind.WEBHOOK, [0, 0, 0b1000]),
        (MIXED, 0b0001, Kind.SMS, [0, 0b0101, 0]),
        (MIXED, 0b0101, Kind.EMAIL, [0b0010, 0, 0]),
        (MIXED, 0b0101, Kind.SMS, [0, 0, 0]),
        (MIXED, 0b1111, Kind.SMS, [0b0101, 0, 0]),
        (MIXED, 0b1111, Kind.EMAIL, [0, 0, 0]),
        ((), 0, Kind.SMS, [0, 0, 0]),
        (("first",), 0, Kind.SMS, [0, 0, 0]),
    ],
)
def test_slots_by_policy_and_round(reach: tuple[str, ...], denied: int, kind: Kind, rounds: list[int]) -> None:
    """All kinds at once, or one kind a round in the recipient's own order, passing over a kind he opted out of."""
    assert [slots_of(reach, denied, kind, round_number=number) for number in range(3)] == rounds
