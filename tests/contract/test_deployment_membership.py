"""Joining a deployment through a real server: the secret, the waiting, the clock; and telling after a loss."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from relay.clock import ServerClock, SystemClock
from relay.deployment import Announcer, Joined, Membership, adopt, told_by
from relay.errors import ConfigError
from relay.settings import Settings
from relay.store.deployment import DeploymentStore
from relay.store.keys import CTL_DEPLOYMENT
from tests.contract.engine_side import Engine

SECRET = b"0123456789abcdef" * 4


class Wrong(SystemClock):
    """A machine whose clock is an hour ahead."""

    def time(self) -> float:
        return super().time() + 3600


@pytest.fixture
def store(engine: Engine) -> DeploymentStore:
    return DeploymentStore(engine.redis)


def settings(**more: Any) -> Settings:
    return Settings.model_validate({"public_url": "https://warn.example", **more})


def membership(store: DeploymentStore, folder: Path, clock: ServerClock | None = None, **more: Any) -> Membership:
    return Membership(store, settings(public_url="", **more), folder, clock=clock or ServerClock(SystemClock()))


async def joined(member: Membership) -> Joined:
    async with asyncio.timeout(10):
        found = await member.join(asyncio.Event())
    assert found is not None
    return found


async def test_a_worker_takes_the_secret_and_the_address(store: DeploymentStore, tmp_path: Path) -> None:
    """A machine that has nothing but the address of Redis makes links that work; it keeps the secret for itself only."""
    await Announcer(store, settings(), SECRET).once()
    found = await joined(membership(store, tmp_path))

    assert (found.secret, found.settings.base_url) == (SECRET, "https://warn.example")
    assert (tmp_path / "ack.secret").read_bytes() == SECRET
    assert (tmp_path / "ack.secret").stat().st_mode & 0o777 == 0o600


async def test_a_worker_waits_for_the_first_api_node(store: DeploymentStore, tmp_path: Path) -> None:
    """Started first, it waits, and begins as soon as somebody has said what this deployment is."""
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(membership(store, tmp_path).join(asyncio.Event()))
        await asyncio.sleep(0.05)
        early = waiting.done()
        await Announcer(store, settings(), SECRET).once()

    assert not early
    assert isinstance(waiting.result(), Joined)


async def test_a_worker_that_waits_hears_the_stop(store: DeploymentStore, tmp_path: Path) -> None:
    """Waiting ends at SIGTERM."""
    stopping = asyncio.Event()
    stopping.set()

    assert await membership(store, tmp_path).join(stopping) is None


async def test_a_secret_in_files_never_comes_to_redis(store: DeploymentStore, engine: Engine, tmp_path: Path) -> None:
    """With ``ack_secret_file`` Redis knows only its name, and a worker without the file is told to get it."""
    file = tmp_path / "ack"
    file.write_bytes(SECRET)
    await Announcer(store, settings(ack_secret_file=str(file)), SECRET).once()

    assert SECRET not in b"".join(await engine.redis.call("HVALS", CTL_DEPLOYMENT))
    with pytest.raises(ConfigError, match="name the same in ack_secret_file"):
        await joined(membership(store, tmp_path))
    assert (await joined(membership(store, tmp_path, ack_secret_file=str(file)))).secret == SECRET


async def test_another_secret_keeps_a_worker_away(store: DeploymentStore, tmp_path: Path) -> None:
    """It does not start, and says what to delete."""
    await Announcer(store, settings(), SECRET).once()
    (tmp_path / "ack.secret").write_bytes(b"f" * 64)

    with pytest.raises(ConfigError, match="does not fit the deployment in Redis: the secret that signs"):
        await joined(membership(store, tmp_path))


async def test_a_wrong_clock_is_not_used(store: DeploymentStore, tmp_path: Path) -> None:
    """A worker whose clock is an hour ahead goes by the server's, and says so; one that is right goes by its own."""
    await Announcer(store, settings(), SECRET).once()
    wrong, right = ServerClock(Wrong()), ServerClock(SystemClock())
    odd = membership(store, tmp_path, wrong)
    await joined(odd)
    await joined(fine := membership(store, tmp_path, right))

    assert abs(wrong.time() - SystemClock().time()) < 1
    assert abs((wrong.now() - SystemClock().now()).total_seconds()) < 3601
    assert "this machine's clock is +3600.0 s off Redis" in odd.trouble[0]
    assert (right.offset, fine.trouble) == (0.0, [])


async def test_what_is_told_comes_back_after_a_loss(store: DeploymentStore, engine: Engine) -> None:
    """An emptied Redis hears again what the deployment is; what nothing has changed in is not written."""
    announcer = Announcer(store, settings(), SECRET)
    await announcer.once()
    await engine.redis.call("DEL", CTL_DEPLOYMENT)
    await announcer.once()
    told = await store.read()

    assert told == told_by(settings(), SECRET)


async def test_a_changed_channel_is_heard_by_those_who_work(store: DeploymentStore, tmp_path: Path) -> None:
    """The API node's new configuration shows up as trouble of a worker that still has the old one."""
    announcer, member = Announcer(store, settings(), SECRET), membership(store, tmp_path)
    await announcer.once()
    await joined(member)
    announcer.change(settings(channels={"mail": {"adapter": "console", "settings": {"kind": "email"}}}))
    await announcer.once()
    told = await store.read()
    assert told is not None
    await member.look()

    assert "the channels mail are not configured as on the API node" in member.trouble[0]


async def test_two_relays_in_one_redis_keep_their_secrets(store: DeploymentStore) -> None:
    """The second one's secret does not replace the first one's: links that are out stay good."""
    await Announcer(store, settings(), SECRET).once()
    await Announcer(store, settings(), b"f" * 64).once()
    told = await store.read()

    assert told is not None
    assert (told.fingerprint, told.secret) == (told_by(settings(), SECRET).fingerprint, SECRET.decode())


async def test_a_new_api_node_takes_the_secret_that_is_there(store: DeploymentStore, tmp_path: Path) -> None:
    """A second API node, or a first one on a new disk, verifies the links that are out."""
    await adopt(store, settings(), tmp_path)
    before = (tmp_path / "ack.secret").exists()
    await Announcer(store, settings(), SECRET).once()
    await adopt(store, settings(), tmp_path)

    assert not before
    assert (tmp_path / "ack.secret").read_bytes() == SECRET
