"""One worker as a process runs it: it says that it is there, and ends when it is told to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from relay.clock import SystemClock
from relay.deployment import Announcer
from relay.errors import ConfigError, StoreUnavailable
from relay.settings import Settings
from relay.store.connection import Connection
from relay.store.deployment import DeploymentStore
from relay.store.switches import Switches
from relay.work import work

SECRET = b"a secret of at least thirty-two characters"


def settings_of(folder: Path, url: str, **channel: object) -> Settings:
    return Settings.model_validate(
        {
            "data_dir": str(folder),
            "redis": {"url": url},
            "channels": {
                "sms": {
                    "adapter": "console",
                    "settings": {"kind": "sms", "path": str(folder / "sms.ndjson")},
                    **channel,
                }
            },
        }
    )


async def test_worker_lives_and_says_goodbye(redis: Connection, tmp_path: Path) -> None:
    """Its heartbeat names its channels; when it has ended nobody counts it any more."""
    switches, stopping = Switches(redis), asyncio.Event()
    settings = settings_of(tmp_path, redis.url)
    await Announcer(DeploymentStore(redis), settings, SECRET).once()  # as the API node of the deployment does
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(work(settings, stopping=stopping, clock=SystemClock()))
        while not (found := await switches.workers()):
            await asyncio.sleep(0.02)
        stopping.set()
    (heartbeat,) = found.values()

    assert "sms" in heartbeat["channels"]
    assert await switches.workers() == {}


async def test_worker_without_redis_ends_when_told_to(tmp_path: Path) -> None:
    """It waits for a server that never comes, and not for ever."""
    stopping = asyncio.Event()
    url = f"unix://{tmp_path}/nothing.sock"
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(work(settings_of(tmp_path, url), stopping=stopping, clock=SystemClock()))
        connection = Connection(url, timeout=0.2)
        with pytest.raises(StoreUnavailable):
            await connection.call("PING")
        await connection.close()
        stopping.set()


async def test_wrong_channel_is_said_at_once(redis: Connection, tmp_path: Path) -> None:
    """A worker that cannot be built tells what is wrong in its configuration."""
    wrong = settings_of(tmp_path, redis.url, adapter="pigeon")
    await Announcer(DeploymentStore(redis), wrong, SECRET).once()
    with pytest.raises(ConfigError, match="pigeon"):
        await work(wrong, stopping=asyncio.Event(), clock=SystemClock())
