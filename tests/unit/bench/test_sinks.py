"""A sink is a process of its own that answers questions and ends with the bench."""

from __future__ import annotations

import asyncio

import pytest

from bench.client import NotReached
from bench.sinks import sink


async def test_a_sink_counts_and_forgets() -> None:
    """It says its port, its counts, and begins anew when asked to."""
    async with sink("bench.smtp_sink") as target:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        await reader.readline()
        writer.write(b"DATA\r\nx\r\n.\r\n")
        await reader.readline()
        await reader.readline()
        counted = await target.ask("report")
        forgotten = [await target.ask("reset"), await target.ask("report")]
        writer.close()
        await writer.wait_closed()

    assert counted["count"] == 1
    assert forgotten == [None, {"count": 0, "seconds": 0.0, "per_second": 0.0}]


async def test_a_sink_that_ended_is_said() -> None:
    """A question that it does not know ends it, and nobody waits for the answer."""
    async with sink("bench.smpp_sink") as target:
        with pytest.raises(NotReached, match="ended"):
            await target.ask("nonsense")
