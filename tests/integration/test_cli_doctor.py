"""The doctor's questions, asked of the relay's own private server."""

from pathlib import Path

import pytest

from relay.clock import SystemClock
from relay.errors import StoreUnavailable
from relay.store.doctor import examine
from relay.store.embedded import EmbeddedServer
from relay.store.server_choice import wheel_binaries


@pytest.mark.parametrize("binary", ["", *map(str, wheel_binaries())])
async def test_real_server_answers_every_question(tmp_path: Path, binary: str) -> None:
    """All facts are there, of the machine's server and of the one that comes with us; nothing surprises the library."""
    server = EmbeddedServer(tmp_path, clock=SystemClock(), server=binary)
    url = await server.start()
    try:
        facts = await examine(url, timeout=2.0, clock=SystemClock())
    finally:
        await server.stop()

    assert facts.title == server.title
    assert facts.role == "master"
    assert facts.aof
    assert facts.aof_sync == "everysec"
    assert facts.eviction == "noeviction"
    assert facts.memory_used > 0
    assert abs(facts.skew) < 1
    assert 0 < facts.latency_p50 <= facts.latency_max
    assert facts.has_waitaof is (facts.family == "valkey" or facts.version >= (7, 2, 0))
    assert facts.open_to_all is True


async def test_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """One error for every way of being away."""
    with pytest.raises(StoreUnavailable):
        await examine(f"unix://{tmp_path}/none.sock", timeout=0.5, clock=SystemClock())
