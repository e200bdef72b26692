"""Forms of our own pages: bounded, and sent from nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

LONGEST = 4096
"""Bytes of a form: a key, or a reason of a few lines."""

_FIELDS = 10
_TYPE = "application/x-www-form-urlencoded"


def own_page(headers: Mapping[str, str], *, host: str, origin: str, proof: bool) -> bool:
    """Say whether a form was sent from our own page, by what the browser tells of it.

    ``host`` is the request's, ``origin`` the relay's own as it is configured.  Browsers too old for ``Sec-Fetch-Site``
    send ``Origin``; one that sends neither is no browser, and is let through unless ``proof`` is needed.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    told = headers.get("Origin")
    if told is None:
        return not proof
    return told == origin or (urlsplit(told).scheme in ("http", "https") and urlsplit(told).netloc == host)


async def read_form(request: web.Request, *, timeout: float) -> dict[str, str] | None:
    """Return the fields of a form, the first of each name; None when it is too long, too slow, or no form."""
    if request.content_type != _TYPE or (request.content_length or 0) > LONGEST:
        return None
    body = b""
    try:
        async with asyncio.timeout(timeout):
            while len(body) <= LONGEST and (piece := await request.content.read(LONGEST + 1)):
                body += piece
        if len(body) > LONGEST:
            return None
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except (TimeoutError, ValueError):
        return None
    return dict(reversed(pairs))
