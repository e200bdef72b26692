"""SIGHUP replaces the workers one after the other while messages flow: nobody is told twice, and nothing stands still."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from tests.acceptance.agency_side import Agency, alert
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge, lines
from tests.acceptance.relay_side import send, until

PEOPLE = 2_000
RATE = 2_000


class Flow:
    """Posts as fast as it is sent, until told that it is enough, and watches the file of hand-overs grow.

    ``longest`` is the longest time in which nothing was added although something was due, in seconds.
    """

    def __init__(self, agency: Agency, file: Path) -> None:
        self._agency = agency
        self._file = file
        self.ids: dict[int, str] = {}
        self.enough = False
        self.longest = 0.0

    @property
    def sent(self) -> int:
        """How many messages were handed over."""
        return lines(self._file)

    @property
    def due(self) -> int:
        """How many will be."""
        return PEOPLE * len(self.ids)

    async def run(self) -> None:
        """Keep two seconds of work queued; return when everything is sent."""
        await self._post()
        await until(lambda: self.sent, within=30, why="something is handed over")
        seen, at = self.sent, monotonic()
        while seen < self.due or not self.enough:
            if not self.enough and self.due - seen < 2 * RATE:
                await self._post()
            await asyncio.sleep(0.02)
            found, now = self.sent, monotonic()
            self.longest = max(self.longest, now - at)
            assert now - at < 20, f"stands still at {found}"
            if found > seen:
                seen, at = found, now

    async def _post(self) -> None:
        number = len(self.ids)
        self.ids[number] = (await self._agency.post(alert(number))).body["id"]


async def test_workers_are_replaced_without_a_pause_or_a_copy(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """While 2,000 messages a second flow the longest gap is below a second, and each is sent once, without a doubt."""
    file = tmp_path / "sms.sent"
    channel = console(channel={"rate": RATE}, idempotent=False)
    relay = make_relay(channels={"console": channel}, engine={"lease": 10.0, "lease_flash": 5.0})
    relay.begin("--workers", "2")
    await relay.listening()
    async with Agency(relay) as agency:
        await agency.people(PEOPLE)
        await until(lambda: len(relay.processes("worker")) == 2, within=30, why="both workers run")
        before = {process.pid for process in relay.processes("worker")}
        flow = Flow(agency, file)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(flow.run())
            await until(lambda: flow.sent > RATE / 4, within=30, why="messages flow")
            began = monotonic()
            send(relay.pid, signal.SIGHUP)
            await until(lambda: '"workers_replaced"' in relay.log, within=60, why="the workers are replaced")
            took, flow.enough = monotonic() - began, True
        found = await judge(agency, flow.ids, [file], people=PEOPLE, kinds=("sms",))
    after = {process.pid for process in relay.processes("worker")}
    print(f"2 workers replaced in {took:.1f} s; longest gap {flow.longest:.2f} s; {found}")

    assert len(after) == 2
    assert not before & after
    assert found.once, found
    assert found.labelled == 0
    assert flow.longest <= 1.0
