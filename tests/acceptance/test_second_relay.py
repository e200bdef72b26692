"""One data directory, one relay."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.acceptance.agency_side import Agency
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.relay_side import ROOT, Relay


@dataclass(frozen=True, slots=True)
class End:
    """How a second relay ended; ``cpu`` in seconds, for the machine may be busy with other tests."""

    code: int
    said: str
    cpu: float


def _second(relay: Relay) -> End:
    """Start a second relay on the same data directory."""
    words = [sys.executable, "-m", "relay", "--config", str(relay.config), "serve"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        words, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return End(done.returncode, done.stdout + done.stderr, cpu)


async def test_second_relay_is_refused(make_relay: MakeRelay, console: Callable[..., dict[str, Any]]) -> None:
    """It ends at once with a sentence that names the first one's process, and the first one does not notice."""
    relay = make_relay(channels={"console": console()})
    await relay.start()
    redis = await relay.one("redis")
    second = await asyncio.to_thread(_second, relay)
    async with Agency(relay) as agency:
        health = await agency.ask("GET", "/readyz")

    assert second.code == 1
    assert f"process {relay.pid}" in second.said
    assert str(relay.data_dir) in second.said
    assert "Traceback" not in second.said
    assert len(second.said.splitlines()) == 1
    assert second.cpu < 2
    assert health.status == 200
    assert await relay.one("redis") == redis
