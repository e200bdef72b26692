"""The stream that an open page listens to: a few bytes every few seconds, and a word when something has changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from relay.clock import Clock
from relay.errors import RelayError

log = structlog.get_logger()

#: Seconds between two looks at the situation; a page that hears nothing for twice as long says that it lost its link.
EVERY = 5.0


async def follow(
    request: web.Request,
    tag: Callable[[], Awaitable[str | None]],
    *,
    clock: Clock,
    closing: asyncio.Event,
    every: float = EVERY,
) -> web.StreamResponse:
    """Say every few seconds what time it is here, or that what ``tag`` returns has changed.

    Ends when the reader goes away, when ``tag`` returns None (nobody may look any more), or when the relay stops.
    """
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    before = await _quietly(tag)
    with contextlib.suppress(ConnectionError):
        while before is not None and not closing.is_set():
            await response.write(f"data:{int(clock.time())}\n\n".encode())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await closing.wait()
            now = await _quietly(tag)
            if now != before and now is not None:
                await response.write(b"event:changed\ndata:.\n\n")
            before = now
    return response


async def _quietly(tag: Callable[[], Awaitable[str | None]]) -> str | None:
    """Return the tag; an error is a situation too, which the page shows when it asks."""
    try:
        return await tag()
    except RelayError as error:
        log.debug("events_without_status", error=type(error).__name__)
        return type(error).__name__
