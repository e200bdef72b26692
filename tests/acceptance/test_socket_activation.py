"""With systemd's socket activation the API restarts without refusing anybody: who comes meanwhile waits a moment."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import aiohttp
import orjson
import pytest

from tests.acceptance.agency_side import alert
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.relay_side import Relay, send, until

#: What systemd does: the socket is descriptor 3, and two variables say for which process.
SYSTEMD = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True);"
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); os.execv(sys.argv[2], sys.argv[2:])"
)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A socket that listens as long as the machine is up."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as made:
        yield made


class Agencies:
    """Old systems that open a connection for each alert and never try again."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._key = relay.key
        self.answers: list[int] = []
        self.failed: list[str] = []
        self.longest = 0.0
        self.enough = False

    async def run(self, first: int) -> None:
        """Post one alert after the other."""
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as http:
            number = first
            while not self.enough:
                began = monotonic()
                try:
                    self.answers.append(await self._post(http, number))
                except aiohttp.ClientError as error:
                    self.failed.append(repr(error))
                self.longest = max(self.longest, monotonic() - began)
                number += 1
                await asyncio.sleep(0.02)

    async def _post(self, http: aiohttp.ClientSession, number: int) -> int:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        body = orjson.dumps(alert(number))
        async with http.post(self._relay.url + "/v1/alerts", data=body, headers=headers) as response:
            await response.read()
            return response.status


async def test_a_restart_of_the_api_refuses_nobody(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], listening: socket.socket
) -> None:
    """Of agencies that post all the time none sees a refused connection or a 503 while the relay is stopped and started."""
    relay = make_relay(channels={"console": console()})
    relay.before, relay.keep = (sys.executable, "-c", SYSTEMD, str(listening.fileno())), (listening.fileno(),)
    await relay.start()
    agencies = Agencies(relay)
    async with asyncio.TaskGroup() as tasks:
        for first in (0, 2000, 4000):
            tasks.create_task(agencies.run(first))
        await until(lambda: len(agencies.answers) > 30, within=30, why="alerts are accepted")
        send(relay.pid, signal.SIGTERM)
        code = await relay.ended(within=30)
        before, url = len(agencies.answers), relay.url
        await relay.start()
        again = len(agencies.answers)
        await until(lambda: len(agencies.answers) > again + 30, within=30, why="alerts are accepted again")
        agencies.enough = True
    print(f"{len(agencies.answers)} answers, {agencies.failed}; longest {agencies.longest:.2f} s; {before}")

    assert (code, relay.url) == (0, url)
    assert agencies.failed == []
    assert set(agencies.answers) == {202}
