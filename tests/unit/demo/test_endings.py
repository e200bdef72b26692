"""The cancel and the drill, judged by what arrived."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.demo.endings import drill_ways, judge_cancel, judge_drill
from relay.demo.people import by_id
from relay.demo.receivers import Arrival

RESCUE, TALGAR = by_id("rescue-7").number, by_id("talgar").number
TOLD = [
    Arrival(kind="sms", address=RESCUE, text="Гидромет-демо: ЖЕР СІЛКІНІСІ, Алматы."),
    Arrival(kind="sms", address=TALGAR, text="Гидромет-демо: ЗЕМЛЕТРЯСЕНИЕ, Алматы."),
]
OVER = [
    Arrival(kind="sms", address=RESCUE, text="Гидромет-демо: ҚАТЕР ӨТТІ. Жер сілкінісі, Алматы."),
    Arrival(kind="sms", address=TALGAR, text="Гидромет-демо: ОТБОЙ. Землетрясение, Алматы."),
]
DRILL = [
    Arrival(kind="sms", address=RESCUE, text="ОҚУ-ЖАТТЫҒУ. Гидромет-демо: оқу жер сілкінісі, Алматы."),
    Arrival(kind="sms", address=TALGAR, text="УЧЕНИЯ. Гидромет-демо: учебное землетрясение, Алматы."),
]
WAYS = [arrival.way for arrival in DRILL]


def test_cancel() -> None:
    """The same people by the same ways in the same languages."""
    verdict = judge_cancel(TOLD, OVER, took=0.1)

    assert verdict.kept
    assert verdict.says.startswith("to the 2 who were told, by the same 2 ways, in their language")


@pytest.mark.parametrize(
    "arrived",
    [
        OVER[:1],
        [*OVER, OVER[0]],
        [*OVER, replace(OVER[0], address=by_id("aktau").number)],
        [OVER[0], replace(OVER[1], text=OVER[0].text)],
        [OVER[0], replace(OVER[1], text=TOLD[1].text)],
    ],
)
def test_cancel_not_as_promised(arrived: list[Arrival]) -> None:
    """Somebody missed, twice, a stranger, another language, the alert itself again: each fails the scene."""
    assert not judge_cancel(TOLD, arrived, took=0.1).kept


def test_drill() -> None:
    """The status word of the language stands first."""
    verdict = judge_drill(WAYS, DRILL, took=0.1)

    assert verdict.kept
    assert verdict.says.startswith("ОҚУ-ЖАТТЫҒУ / УЧЕНИЯ first in every text · 2/2")


@pytest.mark.parametrize(
    "arrived",
    [
        DRILL[:1],
        [*DRILL, replace(DRILL[0], address="+77010009999")],
        [DRILL[0], replace(DRILL[1], text="Гидромет-демо: УЧЕНИЯ, учебное землетрясение")],
    ],
)
def test_drill_not_as_promised(arrived: list[Arrival]) -> None:
    """Somebody missed, a stranger, a word that is not first: each fails the scene."""
    assert not judge_drill(WAYS, arrived, took=0.1).kept


def test_drills_reach_phones_of_those_who_take_part() -> None:
    """Nobody outside, nobody who does not take part, no way but SMS."""
    assert drill_ways() == [("sms", by_id(name).number) for name in ("rescue-7", "talgar", "school-12")]
