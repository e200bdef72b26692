"""Connections: what aiohttp's own protocol leaves open.

Errors of the parser are answered as problems, without the bytes that caused them; nobody takes all connections.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_request import BaseRequest

from relay.api.call import new_request_id
from relay.api.headers import PROTECTIVE
from relay.api.problems import Problem

log = structlog.get_logger()

MOST_PER_ADDRESS = 200
MOST = 2_000

#: Seconds for the headers of a request to come, and for a kept connection to say something.
KEEP_ALIVE = 10.0


_LOOK = 0.01


class Connections:
    """How many connections there are, in all and from each address; proxies and this machine are not bounded each.

    ``silent`` are those on which nothing has come yet.
    """

    def __init__(self, *, most: int = MOST, per_address: int = MOST_PER_ADDRESS) -> None:
        self._most = most
        self._per_address = per_address
        self._by_address: Counter[str] = Counter()
        self._all = 0
        self.silent: set[object] = set()

    async def heard(self, *, within: float) -> None:
        """Wait until something has come on each connection, at most ``within`` seconds, and one look at least.

        A connection is taken before its request is read: whoever closes it then leaves a client without an answer
        that came in time.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await asyncio.sleep(_LOOK)
                while self.silent:  # noqa: ASYNC110 -- once in a process's life
                    await asyncio.sleep(_LOOK)

    def enter(self, address: str) -> bool:
        """Count a connection; False when it is one too many."""
        if self._all >= self._most or self._by_address[address] >= self._per_address:
            return False
        self._all += 1
        self._by_address[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Forget a connection that entered."""
        self._all -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


class Guarded(web.RequestHandler):
    """One connection."""

    __slots__ = ("_address", "_connections")

    def __init__(self, manager: web.Server, connections: Connections, **options: Any) -> None:  # noqa: ANN401 -- aiohttp's own options
        super().__init__(manager, loop=asyncio.get_running_loop(), **options)
        self._connections = connections
        self._address: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Refuse the connection when there are too many."""
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        if not self._connections.enter(address):
            transport.abort()  # type: ignore[attr-defined] # every transport of a stream has it
            return
        self._address = address
        self._connections.silent.add(self)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take in what came, unless the connection was refused."""
        if self._address is not None:
            self._connections.silent.discard(self)
            super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room for another."""
        if self._address is None:
            return
        self._connections.silent.discard(self)
        self._connections.leave(self._address)
        self._address = None
        super().connection_lost(exc)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # not shown: it quotes the bytes that were sent
    ) -> web.StreamResponse:
        """Return what is answered to bytes that are no request, or when our own outermost code failed."""
        if isinstance(exc, ConnectionError):
            raise exc
        request_id = new_request_id()
        problem = _problem(status, exc)
        if problem.status >= 500:
            log.error("unhandled", request=request_id, exc_info=exc)
            if request.writer.output_size > 0:
                raise ConnectionError("an answer has begun already")
        response = problem.response(language="en", request_id=request_id)
        # No prepared answer of the application comes by here: what it would get from there is set now.
        response.headers.update({**PROTECTIVE, "Server": "Chapar"})
        response.force_close()
        return response


def _problem(status: int, exc: BaseException | None) -> Problem:
    if not isinstance(exc, HttpProcessingError) or status >= 500:
        return Problem(slug="internal-error", status=500, detail="Tell the operator the id of this request.")
    if isinstance(exc, LineTooLong):
        # aiohttp does not say which of the two it was, so neither 414 nor 431 would always be true.
        return Problem(slug="headers-too-large", status=400, detail="The request line or a header is too long.")
    return Problem(slug="malformed-request", status=400, detail="These bytes are not an HTTP request.")
