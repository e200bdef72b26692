"""Bodies: bounded, decoded by us, in time; aiohttp guards none of the three."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_request import BaseRequest

from relay.api.problems import Refused, refuse, shown

#: Bytes a second that a slow line must reach once the first ``body_timeout`` seconds are over.
FLOOR = 1024

_PIECE = 256 * 1024
_CLOSE = {"Connection": "close"}


@dataclass(frozen=True, slots=True)
class MediaType:
    """The media type of a body: lower case, without parameters; ``charset`` is empty when it is not given."""

    name: str
    charset: str


def media_type(request: BaseRequest) -> MediaType:
    """Return what ``Content-Type`` says.

    Raises:
        Refused: 415 when there is none, 400 when there are two.
    """
    headers = request.headers.getall("Content-Type", [])
    if len(headers) > 1:
        raise refuse("malformed-request", 400, "There are two Content-Type headers.")
    if not headers:
        raise refuse("unsupported-media-type", 415, "Say in Content-Type what the body is.")
    return MediaType(request.content_type.lower(), (request.charset or "").lower())


def compressed(request: BaseRequest) -> bool:
    """Return whether the body is gzip.

    Raises:
        Refused: 415 for any other coding, and for more than one.
    """
    codings = ",".join(request.headers.getall("Content-Encoding", [])).lower().split(",")
    match [name for coding in codings if (name := coding.strip()) not in ("", "identity")]:
        case []:
            return False
        case ["gzip" | "x-gzip"]:
            return True
        case _:
            raise refuse(
                "unsupported-content-encoding",
                415,
                "The body may be sent as it is, or with one Content-Encoding: gzip.",
                headers={"Accept-Encoding": "gzip, identity"},
            )


async def read(request: BaseRequest, *, limit: int, timeout: float) -> bytes:
    """Return the body, inflated.

    ``limit`` bounds it in bytes, before and after inflating.  The first ``timeout`` seconds are free; after that it
    must have come with 1 KiB a second on average, so that a thin line is served and a dripping one is not.

    Raises:
        Refused: 400, 408, 413 or 415.
    """
    packed = compressed(request)
    raw = await _whole(request, limit=limit, timeout=timeout)
    return inflate(raw, limit=limit) if packed else raw


async def _whole(request: BaseRequest, *, limit: int, timeout: float) -> bytes:
    content = request.content
    if content.is_eof() and content.exception() is None and "Expect" not in request.headers:
        # A short body has come with its head: there is nothing to wait for, and nobody to be told to go on.
        raw = content.read_nowait()
        if len(raw) > limit:
            raise too_large(limit)
        return raw
    return b"".join([piece async for piece in pieces(request, limit=limit, timeout=timeout)])


async def stream(request: BaseRequest, *, limit: int, timeout: float) -> AsyncIterator[bytes]:
    """Yield the body as it comes, inflated; bounds as in :func:`read`.

    Raises:
        Refused: 400, 408, 413 or 415.
    """
    chunks = pieces(request, limit=limit, timeout=timeout)
    if not compressed(request):
        async for chunk in chunks:
            yield chunk
        return
    inflater, size = zlib.decompressobj(16 + zlib.MAX_WBITS), 0
    async for chunk in chunks:
        waiting = chunk
        while waiting and not inflater.eof:
            piece = _inflated(inflater, waiting, most=_PIECE)
            waiting = inflater.unconsumed_tail
            size += len(piece)
            if size > limit:
                raise too_large(limit)
            yield piece
        if inflater.unused_data or waiting:
            raise _damaged("something follows the compressed data")
    if not inflater.eof:
        raise _damaged("it is cut short")


async def pieces(request: BaseRequest, *, limit: int, timeout: float) -> AsyncIterator[bytes]:
    """Yield the raw body as it comes; says ``100 Continue`` first where a client waits for it.

    Raises:
        Refused: 400, 408 or 413.
    """
    if request.content_length is not None and request.content_length > limit:
        raise too_large(limit)
    await _continue(request)
    loop = asyncio.get_running_loop()
    start, received = loop.time(), 0
    while True:
        try:
            async with asyncio.timeout_at(start + timeout + received / FLOOR):
                chunk = await request.content.readany()
        except TimeoutError as error:
            raise refuse("request-timeout", 408, "The body did not come in time.", headers=_CLOSE) from error
        except (web.RequestPayloadError, HttpProcessingError) as error:
            raise refuse("malformed-request", 400, "The body is not framed as HTTP says.", headers=_CLOSE) from error
        if not chunk:
            return
        received += len(chunk)
        if received > limit:
            raise too_large(limit)
        yield chunk


def inflate(raw: bytes, *, limit: int) -> bytes:
    """Return what one gzip member holds; its trailer is checked and nothing may follow it.

    Raises:
        Refused: 400 when it is damaged, 413 when it holds more than ``limit`` bytes.
    """
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    body = _inflated(inflater, raw, most=limit + 1)
    if len(body) > limit:
        raise too_large(limit)
    if not inflater.eof:
        raise _damaged("it is cut short")
    if inflater.unused_data:
        raise _damaged("something follows the compressed data")
    return body


def too_large(limit: int) -> Refused:
    """Return the answer to a body of more than ``limit`` bytes."""
    return refuse("body-too-large", 413, f"A body has at most {limit} bytes here.", headers=_CLOSE)


def _inflated(inflater: zlib._Decompress, data: bytes, *, most: int) -> bytes:
    try:
        return inflater.decompress(data, most)
    except zlib.error as error:
        raise _damaged(shown(str(error))) from error


def _damaged(why: str) -> Refused:
    return refuse("bad-content-encoding", 400, f"The gzip data is damaged: {why}.")


async def _continue(request: BaseRequest) -> None:
    """Tell a client that waits for it to go on: only now, after everything that could refuse the body."""
    if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= (1, 1):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
