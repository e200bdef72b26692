"""Plans: who is behind which leg, decided by the info that matched."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from relay.adapter import Class, Kind
from relay.cap.model import Alert, Info, Time
from relay.fanout.plan import Frame, Pairs, joined, notice, plan, translate, without
from relay.fanout.segment import SEGMENT, Segment
from relay.testing.clocks import START

HOUR = timedelta(hours=1)


def time(instant: datetime) -> Time:
    return Time(instant.isoformat(timespec="seconds"), instant)


def an_info(*, language: str = "en", severity: str = "Severe", ends: datetime = START + HOUR) -> Info:
    return Info(
        language=language,
        category=("Met",),
        event="Flood",
        urgency="Expected",
        severity=severity,
        certainty="Likely",
        expires=time(ends),
    )


def a_frame(*infos: Info, klass: Class = Class.P1, expires: datetime = START + HOUR) -> Frame:
    alert = Alert(
        identifier="a-1",
        sender="duty@meteo.example",
        sent=time(START),
        status="Actual",
        msg_type="Alert",
        scope="Public",
        info=infos,
    )
    return Frame(alert_id="alert", alert=alert, klass=klass, expires=expires, assumed_hours=24, flash_events=())


def pairs(*rows: tuple[int, int, int]) -> Pairs:
    """Return deliveries of (ordinal, slot, info)."""
    table = np.array(rows, np.uint32).reshape(-1, 3)
    return Pairs(table[:, 0], table[:, 1].astype(np.uint8), table[:, 2].astype(np.uint16))


def rows(found: Pairs | Segment) -> list[tuple[int, int, int]]:
    last = found.variants if isinstance(found, Segment) else found.infos
    return list(zip(found.ordinals.tolist(), found.slots.tolist(), last.tolist(), strict=True))


def test_one_leg_for_a_kind() -> None:
    """Infos that differ in words only share a leg; nobody makes none."""
    frame = a_frame(an_info(language="kk"), an_info(language="ru"))
    legs = plan(frame, {Kind.SMS: pairs((1, 0, 0), (5, 1, 1)), Kind.EMAIL: pairs()})

    assert [(leg.kind, leg.klass, leg.expires, leg.total) for leg in legs] == [(Kind.SMS, Class.P1, START + HOUR, 2)]
    assert rows(legs[0].segments[0]) == [(1, 0, 0), (5, 1, 1)]
    assert legs[0].variants_of == "alert"


def test_class_and_end_are_those_of_the_info_that_matched() -> None:
    """Where it is minor nobody is woken as for the worst, and everybody's leg ends when his info ends."""
    frame = a_frame(an_info(severity="Minor"), an_info(), an_info(ends=START + 3 * HOUR), expires=START + 3 * HOUR)
    legs = plan(frame, {Kind.SMS: pairs((1, 0, 0), (2, 0, 1), (3, 0, 2), (4, 0, 0))})

    assert [(leg.klass, leg.expires, [r[0] for r in rows(leg.segments[0])]) for leg in legs] == [
        (Class.P1, START + HOUR, [2]),
        (Class.P1, START + 3 * HOUR, [3]),
        (Class.P4, START + HOUR, [1, 4]),
    ]
    assert len({leg.leg_id for leg in legs}) == 3


def test_leg_ids_are_the_same_every_time() -> None:
    """A plan that is made twice names the same legs, whoever is missing from it."""
    frame = a_frame(an_info(), an_info(severity="Minor"))
    whole = plan(frame, {Kind.SMS: pairs((1, 0, 0), (2, 0, 1))})
    part = plan(frame, {Kind.SMS: pairs((2, 0, 1))})

    assert part[0].leg_id == whole[1].leg_id


def test_raised_class_holds_for_all() -> None:
    """An Update of a flash alert is flash for everybody, whatever its infos say by themselves."""
    frame = a_frame(an_info(), an_info(severity="Minor"), klass=Class.P0)
    legs = plan(frame, {Kind.SMS: pairs((1, 0, 0), (2, 0, 1))})

    assert [leg.klass for leg in legs] == [Class.P0]


def test_end_that_intake_moved_moves_for_all() -> None:
    """An alert of a clock that is ahead counts from receipt: every info ends as much earlier."""
    frame = a_frame(an_info(), an_info(ends=START + 2 * HOUR), expires=START + HOUR)
    ends = [leg.expires for leg in plan(frame, {Kind.SMS: pairs((1, 0, 0), (2, 0, 1))})]

    assert ends == [START, START + HOUR]


def test_large_leg_is_cut_into_segments() -> None:
    """No segment is larger than a rank can count."""
    count = SEGMENT + 1
    many = Pairs(np.arange(count, dtype=np.uint32), np.zeros(count, np.uint8), np.zeros(count, np.uint16))
    (leg,) = plan(a_frame(an_info()), {Kind.SMS: many})

    assert [len(segment) for segment in leg.segments] == [SEGMENT, 1]
    assert leg.total == count
    assert [len(Segment.unpack(data, number=0)) for data in leg.pack()] == [SEGMENT, 1]


def test_leg_knows_its_people_by_a_byte() -> None:
    """The same people at the same ranks have the same byte; others, or other addresses, mostly another; never 0."""
    audiences = [[(1, 0, 0), (2, 0, 0)], [(1, 0, 0), (3, 0, 0)], [(1, 0, 0), (2, 1, 0)], [(1, 0, 0), (2, 0, 0)]]
    found = [plan(a_frame(an_info()), {Kind.SMS: pairs(*audience)})[0].people for audience in audiences]

    assert found[0] == found[3]
    assert len(set(found)) == 3
    assert all(0 < people < 256 for people in found)


def test_alert_without_infos_has_no_legs() -> None:
    """There is nothing to say to anybody."""
    assert plan(a_frame(), {}) == []


def test_notice_goes_to_those_given_and_reads_their_infos() -> None:
    """A cancel's legs are those who were told, in one round, with the class and end of the cancel."""
    frame = a_frame(klass=Class.P0)
    legs = notice(frame, {Kind.SMS: pairs((7, 1, 3)), Kind.EMAIL: pairs()}, round_number=2, variants_of="old")

    assert [(leg.kind, leg.round_number, leg.klass, leg.variants_of) for leg in legs] == [
        (Kind.SMS, 2, Class.P0, "old")
    ]
    assert rows(legs[0].segments[0]) == [(7, 1, 3)]


def test_infos_are_translated_to_the_nearest_language() -> None:
    """Who read Kazakh reads the cancel in Kazakh; a language that is missing gets the first."""
    kk, ru, en = (an_info(language=language) for language in ("kk", "ru-KZ", "en"))

    assert translate([kk, ru, en], [ru, replace(kk, language="kk-KZ")]).tolist() == [1, 0, 0]
    assert translate([], [ru]).tolist() == [0]


def test_without_leaves_out_who_was_seen() -> None:
    """The same person at another address is another delivery."""
    all_ = pairs((1, 0, 0), (1, 1, 0), (2, 0, 0))
    left = without(all_, pairs((1, 1, 5)).keys)

    assert rows(left) == [(1, 0, 0), (2, 0, 0)]
    assert without(all_, np.empty(0, np.uint64)) is all_


def test_joined_is_sorted_and_mentions_nobody_twice() -> None:
    """Of two mentions of one address the first counts."""
    assert rows(joined([pairs((5, 0, 1), (2, 1, 1)), pairs((2, 1, 9), (1, 0, 9))])) == [(1, 0, 9), (2, 1, 1), (5, 0, 1)]
