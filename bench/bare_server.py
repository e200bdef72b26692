"""The bare server that E7 is compared with: an aiohttp handler that reads the body and answers 202.

``python -m bench.bare_server`` prints its port and runs until its standard input ends.
"""

from __future__ import annotations

import uvloop
from aiohttp import web

from bench import control

_BODY = b'{"id": "none", "state": "accepted"}'


async def accept(request: web.Request) -> web.Response:
    """Read the body and answer."""
    await request.read()
    return web.Response(status=202, body=_BODY, content_type="application/json")


def application() -> web.Application:
    """Return the application: one route."""
    app = web.Application()
    app.router.add_post("/v1/alerts", accept)
    return app


async def serve() -> None:
    """Listen until standard input ends."""
    runner = web.AppRunner(application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        await control.serve(runner.addresses[0][1], {})
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(serve())
