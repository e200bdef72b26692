"""What the scripts are given; what they do with it is in their contract."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, cast

import pytest

from relay.adapter import Class
from relay.store.chunk import Chunk
from relay.store.chunks import Chunks, Nothing
from relay.store.connection import Connection
from relay.store.keys import Partition
from relay.store.lookout import FLOOR
from relay.store.settlement import Settlement
from relay.tracking.states import Record, State


class Server:
    """Notes what it is asked, and answers what a test wants."""

    ground = "boot"

    def __init__(self, reply: Any) -> None:
        self.reply = reply
        self.name = ""
        self.keys: Sequence[str] = ()
        self.args: Sequence[Any] = ()

    async def run_many(self, name: str, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
        self.name, (self.keys, self.args) = name, calls[0]
        return [self.reply] * len(calls)


async def claim(server: Server, *, urgent: bool = False) -> Chunk | Nothing:
    chunks = Chunks(cast("Connection", server), Partition(3))
    claimed = await chunks.claim(
        "sms", token="token", most=500, lease_ms=10_000, flash_ms=5_000, fence_ms=7, urgent=urgent
    )
    assert claimed.epoch == "epoch"
    return claimed.found


@pytest.mark.parametrize(("urgent", "lowest"), [(False, 6), (True, 2)])
async def test_claim_passes_every_key(urgent: bool, lowest: int) -> None:
    """All 23 keys are declared, of one partition; an urgent claim looks at P0 and P1 only."""
    server = Server([b"idle", 250, b"epoch"])
    found = await claim(server, urgent=urgent)

    assert found == Nothing(0.25, fenced=False)
    assert len(set(server.keys)) == 23
    assert all(key.startswith("c1:{p3}:") for key in server.keys)
    assert list(server.args) == ["token", 7, 500, 10_000, 5_000, lowest, FLOOR, 0, "boot"]


async def test_several_chunks_of_one_question() -> None:
    """Each claim of a question is granted by itself; the first comes as found, and the others with it."""
    server = Server([b"chunk", b"fresh", b"leg|0|0|5", 4, 0, 1000, 9000, b"epoch", 1500])
    claimed = await Chunks(cast("Connection", server), Partition()).claim(
        "sms", token="token", most=31, lease_ms=10_000, flash_ms=5_000, fence_ms=7, urgent=False, count=3
    )

    assert isinstance(claimed.found, Chunk)
    assert [chunk.last for chunk in (claimed.found, *claimed.more)] == [5, 5, 5]


async def test_fence_is_told() -> None:
    """A fenced claim says for how long."""
    assert await claim(Server([b"fence", 9_000, b"epoch"])) == Nothing(9.0, fenced=True)


async def test_chunk_of_a_claim() -> None:
    """The reply names the range; the token is the one that was offered."""
    server = Server([b"chunk", b"again", b"leg|2|500|731", 3, 8, 1000, 9000, b"epoch", 1500])

    assert await claim(server) == Chunk(
        member="leg|2|500|731",
        token="token",
        lane="sms",
        how="again",
        klass=Class.P2,
        flags=8,
        start_ms=1000,
        expires_ms=9000,
        leg_id="leg",
        segment=2,
        first=500,
        last=731,
    )


async def test_records_go_in_ascending_order() -> None:
    """Positions ascend whatever the order of the outcomes, each with its own record."""
    server = Server([0, 0, 1])
    records = {9: Record(state=State.FAILED), 2: Record(state=State.DELIVERED)}
    settlement = Settlement(leg_id="leg", alert_id="a", lane="sms", klass=Class.P1, segment=0, size=10, records=records)
    settled = await Chunks(cast("Connection", server), Partition()).settle(settlement)

    assert settled is not None
    assert (settled.flags, settled.lost, settled.done) == (0, False, True)
    assert server.args[7] == struct.pack("<2H", 2, 9)
    assert [server.args[8][0], server.args[8][24]] == [State.DELIVERED, State.FAILED]


async def test_nothing_to_renew_asks_nothing() -> None:
    """A worker without work does not bother Redis."""
    server = Server(None)

    assert await Chunks(cast("Connection", server), Partition()).renew([], lease_ms=1, flash_ms=1) == []
    assert server.name == ""
