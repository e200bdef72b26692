"""Keys: made and revoked here, known everywhere, and a revocation is final."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from relay.intake.authority import Role
from relay.intake.keyring import Keyring
from relay.intake.register import Register
from relay.store.connection import Connection
from tests.contract.node_side import NodeSide, api_node


@pytest.fixture
async def node(redis: Connection, tmp_path: Path) -> AsyncIterator[NodeSide]:
    async with api_node(redis, tmp_path / "one") as side:
        await side.catch_up()
        yield side


def keyring(node: NodeSide) -> Keyring:
    found = node.services.keys
    assert isinstance(found, Keyring)
    return found


async def test_key_is_journalled_saved_and_shared(node: NodeSide) -> None:
    """It works at once, after a restart, and in Redis nobody can read the credential."""
    new = await keyring(node).create(role=Role.OPERATOR, name="duty")
    again = Register.open(node.folder, clock=node.clock)
    shared = (await node.services.switches.keys())[new.key.key_id]

    assert again.authenticate_credential(new.credential) == new.key
    assert orjson.loads(shared)["name"] == "duty"
    assert new.credential.encode() not in shared
    assert len(list(node.journal.records())) == 1


async def test_another_node_learns_of_it(node: NodeSide, tmp_path: Path) -> None:
    """A key made here opens there, and is closed there when it is revoked here."""
    new = await keyring(node).create(role=Role.OPERATOR, name="duty")
    async with api_node(node.redis, tmp_path / "two", clock=node.clock) as other:
        await keyring(other)._once()
        opened = keyring(other).register.authenticate_credential(new.credential)
        await keyring(node).revoke(new.key.key_id)
        await keyring(other)._once()
        closed = keyring(other).register.authenticate_credential(new.credential)

    assert (opened, closed) == (new.key, None)


async def test_node_that_was_away_does_not_undo_a_revocation(node: NodeSide, tmp_path: Path) -> None:
    """At its start a node wrote all its keys over those in Redis: one revoked meanwhile was good again elsewhere."""
    new = await keyring(node).create(role=Role.OPERATOR, name="duty")
    async with api_node(node.redis, tmp_path / "two", clock=node.clock) as other:
        await keyring(other)._once()
        node.clock.advance(1)
        await keyring(node).revoke(new.key.key_id)
    async with api_node(node.redis, tmp_path / "two", clock=node.clock) as other:
        await keyring(other)._once()
        known = keyring(other).register.authenticate_credential(new.credential)

    assert known is None
    assert orjson.loads((await node.services.switches.keys())[new.key.key_id])["revoked"]


async def test_emptied_redis_gets_its_keys_back(node: NodeSide) -> None:
    """FLUSHALL takes the shared copy, not the register."""
    new = await keyring(node).create(role=Role.OPERATOR, name="duty")
    await node.redis.call("FLUSHALL")
    await keyring(node)._once()

    assert new.key.key_id in await node.services.switches.keys()


async def test_bad_entry_locks_nobody_out(node: NodeSide) -> None:
    """A line that is no key is left alone."""
    new = await keyring(node).create(role=Role.OPERATOR, name="duty")
    await node.services.switches.put_keys({"broken": b"{", "odd": b"{}"})
    await keyring(node)._once()

    assert keyring(node).register.authenticate_credential(new.credential) == new.key


async def test_full_disk_does_not_end_the_process(node: NodeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is journalled and known; its file follows when there is space."""
    register = keyring(node).register
    real = register.save

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(register, "save", full)
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keyring(node).run(stopping))
        new = await keyring(node).create(role=Role.OPERATOR, name="duty")
        monkeypatch.setattr(register, "save", real)
        while Register.open(node.folder, clock=node.clock).authenticate_credential(new.credential) is None:
            await asyncio.sleep(0.02)
        stopping.set()

    assert register.authenticate_credential(new.credential) == new.key
