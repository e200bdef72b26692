"""The fake receiver of webhooks: notes every post, drops copies by ``webhook-id`` as the standard asks."""

from __future__ import annotations

import asyncio
import hashlib
import time

import orjson
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.acceptance.black_box_receivers import SECRET
from tests.chaos.log import Log
from tests.chaos.moods import Mood, Temper

_TOOK = {Mood.CALM, Mood.SLOW, Mood.HANG, Mood.RESET}
_LONGEST = 60.0


class WebhookSink:
    """``POST /hook/{name}``; its log has one line for each post, with ``took`` and whether it was seen before."""

    def __init__(self, log: Log, temper: Temper) -> None:
        self.port = 0
        self._log, self._temper = log, temper
        self._seen: set[str] = set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on every address of loopback, so that one sink can be several hosts."""
        app = web.Application(client_max_size=8 << 20)
        app.router.add_post("/hook/{name}", self._post)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Refuse connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _post(self, request: web.Request) -> web.Response:
        came, mood = time.time(), self._temper.pick()
        raw = await request.read()
        identity = request.headers.get("webhook-id", "")
        self._log.write(
            t=came,
            kind="webhook",
            to=request.match_info["name"],
            delivery=identity,
            took=mood in _TOOK,
            mood=mood,
            again=identity in self._seen,
            signed=_signed(raw, request),
            **_said(raw),
        )
        if mood in _TOOK:
            self._seen.add(identity)
        return await self._answer(request, mood)

    async def _answer(self, request: web.Request, mood: Mood) -> web.Response:
        if mood is Mood.THROTTLE:
            return web.Response(status=429, headers={"Retry-After": "1"})
        if mood is Mood.FAILS:
            return web.Response(status=503)
        if mood is Mood.SLOW:
            await asyncio.sleep(self._temper.seconds)
        if mood is Mood.HANG:
            await asyncio.sleep(_LONGEST)
        if mood is Mood.RESET and request.transport is not None:
            request.transport.abort()
        return web.Response(status=200)


def _signed(raw: bytes, request: web.Request) -> bool:
    try:
        Webhook(SECRET).verify(raw, dict(request.headers))
    except WebhookVerificationError:
        return False
    return True


def _said(raw: bytes) -> dict[str, str]:
    data = orjson.loads(raw)["data"]
    # Not of the whole body: its timestamp is that of the hand-over (relay.adapter.Hole).
    body = hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    return {
        "body": body,
        "alert": data["alert_id"],
        "recipient": data["recipient"],
        "status": data["status"],
        "type": data["msgType"],
        "text": f"{data['headline']}\n{data['event']}\n{data['text']}",
    }
