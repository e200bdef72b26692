"""One data directory, one relay."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.acceptance.agency_side import Agency
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.relay_side import ROOT, Relay


async def _second(relay: Relay) -> tuple[int, str, float]:
    """Start a second relay on the same data directory: exit code, what it says, and how long it took."""
    words = [sys.executable, "-m", "relay", "--config", str(relay.config), "serve"]
    loop = asyncio.get_running_loop()
    began = loop.time()
    process = await asyncio.create_subprocess_exec(
        *words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(30):
        said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), loop.time() - began


async def test_second_relay_is_refused(make_relay: MakeRelay, console: Callable[..., dict[str, Any]]) -> None:
    """It ends at once with a sentence that names the first one's process, and the first one does not notice."""
    relay = make_relay(channels={"console": console()})
    await relay.start()
    redis = await relay.one("redis")
    # The best of three: the machine may be busy with other tests.
    tries = [await _second(relay) for _ in range(3)]
    async with Agency(relay) as agency:
        health = await agency.ask("GET", "/readyz")

    assert {code for code, _, _ in tries} == {1}
    assert all(f"process {relay.pid}" in said and str(relay.data_dir) in said for _, said, _ in tries), tries
    assert not any("Traceback" in said for _, said, _ in tries), tries
    assert min(took for _, _, took in tries) < 2
    assert health.status == 200
    assert await relay.one("redis") == redis
