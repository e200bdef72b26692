"""An open page is told when it is no longer true, in a few bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.console import events
from tests.integration.console_side import Office, served
from tests.unit.console.situations import CALM, TROUBLE


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(events.follow, "__kwdefaults__", {"every": 0.02})
    async with served(tmp_path) as made:
        yield made


async def test_stranger_hears_nothing(office: Office) -> None:
    """Whoever may not see the status is not told of it either."""
    response = await office.get("/events")

    assert response.status == 401


async def test_quiet_page_hears_the_time_only(office: Office) -> None:
    """While nothing changes there is a line with the relay's time every few seconds: no more than thirty bytes."""
    await office.sign_in()
    async with asyncio.timeout(5):
        response = await office.get("/events")
        heard = [await response.content.readline() for _ in range(10)]
        response.close()

    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    assert set(heard[1::2]) == {b"\n"}
    assert set(heard[::2]) == {b"data:%d\n" % int(office.clock.time())}


async def test_change_is_said(office: Office) -> None:
    """When the situation is another the page is told to look."""
    await office.sign_in()
    async with asyncio.timeout(5):
        response = await office.get("/events")
        await response.content.readline()
        office.situation = TROUBLE
        while (line := await response.content.readline()) != b"event:changed\n":
            assert line.startswith(b"data:") or line == b"\n"
        response.close()

    assert CALM != TROUBLE


async def test_stream_ends_with_the_session(office: Office) -> None:
    """A page whose key was revoked hears no more."""
    await office.sign_in()
    async with asyncio.timeout(5):
        response = await office.get("/events")
        await response.content.readline()
        office.register.revoke(office.operator.key.key_id)
        await response.content.read()

    assert response.content.at_eof()
