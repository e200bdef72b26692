"""A stage without a relay: what scenes decide can be tried without one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from relay.demo.child import RelayProcess
from relay.demo.configuration import Places
from relay.demo.crowd import Crowd
from relay.demo.paper import Paper
from relay.demo.people import make_secret
from relay.demo.receivers import Receivers
from relay.demo.relay_client import RelayClient
from relay.demo.stage import Stage
from relay.testing.clocks import FakeClock


class Unstarted(RelayProcess):
    """A relay that is said to run."""

    def check(self) -> None:
        return


@pytest.fixture
def out() -> io.StringIO:
    """What is printed."""
    return io.StringIO()


@pytest.fixture
async def stage(tmp_path: Path, out: io.StringIO) -> Stage:
    """A stage whose receivers are closed and whose relay is not there."""
    where = Places(folder=tmp_path, api=1, smsc={}, smtp=1, hooks=1)
    clock = FakeClock()
    relay = RelayClient("http://127.0.0.1:1", "", clock=clock)
    await relay.close()
    return Stage(
        relay=relay,
        process=Unstarted(where),
        receivers=Receivers(secret=make_secret()),
        crowd=Crowd(where.crowd),
        paper=Paper(out),
        places=where,
        clock=clock,
    )
