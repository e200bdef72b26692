"""The fake SMS centre: the one of ``relay.testing``, with moods and a log of every whole message it took."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from relay.testing.smsc import RTHROTTLED, Smsc
from relay.testing.smsc import Mood as Way
from tests.chaos.log import Log
from tests.chaos.moods import Mood, Temper

if TYPE_CHECKING:
    import smpp34

_RSYSERR = 0x08
_REFUSALS = {Mood.THROTTLE: RTHROTTLED, Mood.FAILS: _RSYSERR}
_WAYS = {Mood.HANG: Way.HANGS, Mood.RESET: Way.CUTS}


class _Centre(Smsc):
    """Logs before it answers; a message counts when the last of its parts came, as on a phone."""

    def __init__(self, log: Log, temper: Temper) -> None:
        super().__init__()
        self._log, self._temper = log, temper
        self._came = 0.0
        self._felt = Mood.CALM

    def _submitted(self, event: smpp34.SubmitSmEvent, tasks: asyncio.TaskGroup) -> None:
        felt = self._temper.pick()
        if felt is Mood.SLOW:
            tasks.create_task(self._later(event, tasks, time.time()), name="slow submit")
        else:
            self._feel(event, tasks, felt=felt, came=time.time())

    async def _later(self, event: smpp34.SubmitSmEvent, tasks: asyncio.TaskGroup, came: float) -> None:
        await asyncio.sleep(self._temper.seconds)
        self._feel(event, tasks, felt=Mood.SLOW, came=came)

    def _feel(self, event: smpp34.SubmitSmEvent, tasks: asyncio.TaskGroup, *, felt: Mood, came: float) -> None:
        self._came, self._felt = came, felt
        if felt in _REFUSALS:
            self.script.append(_REFUSALS[felt])
        self.mood = _WAYS.get(felt, Way.ANSWERS)
        super()._submitted(event, tasks)
        self.mood = Way.ANSWERS

    def _record(self, event: smpp34.SubmitSmEvent, number: str, message_id: str) -> None:
        whole, unreadable = len(self.messages), len(self.unreadable)
        super()._record(event, number, message_id)
        for message in self.messages[whole:]:
            self._log.write(t=self._came, kind="sms", to=message.number, took=True, mood=self._felt, text=message.text)
        for said in self.unreadable[unreadable:]:
            self._log.write(t=self._came, kind="sms", to=number, took=False, mood="unreadable", text=said)


class SmsSink:
    """The centre as a sink: in the mood ``refuse`` its door is shut, the centre behind it stays."""

    def __init__(self, log: Log, temper: Temper) -> None:
        self._centre = _Centre(log, temper)
        self._begun = False
        self.port = 0

    async def start(self) -> None:
        """Open the door."""
        if self._begun:
            await self._centre.gate.open()
        else:
            await self._centre.start()
            self._begun = True
        self.port = self._centre.gate.port

    async def stop(self) -> None:
        """Shut the door and reset every connection."""
        await self._centre.gate.close()
