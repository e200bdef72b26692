"""Headers that every answer carries."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

#: What holds for answers that are no page of ours; pages set their own Content-Security-Policy.
PROTECTIVE: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}

HSTS = "max-age=31536000"


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """Set them where the handler has not, and say nothing of what runs here."""
    for name, value in PROTECTIVE.items():
        response.headers.setdefault(name, value)
    if request.secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    response.headers.popall("Server", None)
