"""One error for every way in which Redis can be away, and for nothing else."""

import asyncio
from pathlib import Path

import pytest
import uvloop
from redis.exceptions import ConnectionError as LibraryConnectionError
from redis.exceptions import InvalidResponse, MovedError, ReadOnlyError, ResponseError

from relay.errors import StoreUnavailable
from relay.store.available import available, not_now
from relay.store.route import _send


@pytest.mark.parametrize(
    "error", [LibraryConnectionError(), OSError(), TimeoutError(), InvalidResponse("Protocol error")]
)
async def test_silence_is_not_now(error: Exception) -> None:
    """No server, no answer, no network, or one that loses bytes: all the same to the caller."""
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        async with available():
            raise error


@pytest.mark.parametrize(
    "error",
    [
        ResponseError("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"),
        ResponseError("Command # 1 (SET a) of pipeline caused error: ('NOREPLICAS Not enough good replicas',)"),
        ReadOnlyError("You can't write against a read only replica."),
        MovedError("3999 127.0.0.1:6381"),
    ],
)
async def test_server_in_the_middle_of_a_failover_is_not_now(error: ResponseError) -> None:
    """What servers say while another takes over is waited for, never taken for a defect."""
    with pytest.raises(StoreUnavailable):
        async with available():
            raise error


async def test_mistake_of_ours_is_a_defect() -> None:
    """A wrong command is not waited for."""
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        async with available():
            raise ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value")

    assert not_now(ValueError("LOADING")) == ""


async def test_closed_transport_of_uvloop_is_not_now() -> None:
    """uvloop says RuntimeError when a connection was closed before a write: it ended the whole API process."""
    with pytest.raises(StoreUnavailable):
        async with available():
            raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")
    with pytest.raises(RuntimeError, match="no running event loop"):
        async with available():
            raise RuntimeError("no running event loop")


def test_write_to_a_closed_transport_on_uvloop(tmp_path: Path) -> None:
    """The very error: a round trip over a connection whose transport is closed under it."""

    async def closed() -> None:
        server = await asyncio.start_unix_server(lambda _r, w: w.close(), str(tmp_path / "s"))
        _, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))

        class Library:
            async def send_packed_command(self, packed: bytes) -> None:
                writer.transport.abort()
                await asyncio.sleep(0.01)
                writer.writelines([packed])

        try:
            with pytest.raises(ConnectionError):
                await _send(Library(), b"PING")
        finally:
            server.close()

    uvloop.run(closed())
