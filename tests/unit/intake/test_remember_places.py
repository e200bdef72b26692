"""Telling Redis where its places are on several servers: what belongs together is told in order all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

from relay.adapter import Class
from relay.clock import SystemClock
from relay.errors import StoreUnavailable
from relay.intake.frames import FrameType
from relay.intake.journal import Journal
from relay.intake.records import AcceptRecord, Record, encode
from relay.intake.remember import Remember
from relay.store.memories import Memories, Memory
from relay.testing.clocks import START, FakeClock


class TwoServers:
    """Place 0 is always there; place 1 may be away."""

    places = (0, 1)

    def __init__(self) -> None:
        self.told: list[int] = []
        self.away = True

    async def read(self, _node: str) -> dict[int, Memory]:
        return {0: Memory("run", "zero"), **({} if self.away else {1: Memory("run", "one")})}

    async def name(self, _node: str, _place: int, _name: str) -> None:
        """Names are kept by themselves here."""

    async def apply(self, record: Record, number: int, _again: Memory | None) -> None:
        if self.away and place_of(record):
            raise StoreUnavailable("away")
        self.told.append(number)


def place_of(record: Record) -> int:
    return int(isinstance(record, AcceptRecord) and record.k1 == "cancel")


def an_alert(k1: str, *refers: str) -> AcceptRecord:
    return AcceptRecord(
        alert_id=k1,
        received_at=START,
        key_id="k",
        agency="meteo",
        content_type="text/xml",
        klass=Class.P2,
        k1=k1,
        refers=list(refers),
    )


async def test_an_alert_waits_for_a_word_that_another_place_has_not_heard(tmp_path: Path) -> None:
    """On a Cluster the relay's own Cancel may be of another partition, and that one is away: its alert stays over."""
    redis, journal = TwoServers(), Journal.open(tmp_path, node="node", clock=FakeClock())
    for record in (an_alert("flood"), an_alert("cancel", "flood"), an_alert("storm")):
        await journal.append(FrameType.ACCEPT, encode(record))
    remember = Remember(
        journal, cast("Memories", redis), node="node", clock=SystemClock(), apply=redis.apply, place_of=place_of
    )
    await remember.load()
    stopping = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(remember.run(stopping))
        while not redis.told:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        before = list(redis.told)
        redis.away = False
        while remember.pending:
            await asyncio.sleep(0.01)
        stopping.set()
    await journal.close()

    assert before == [3]
    assert redis.told == [3, 2, 1]
