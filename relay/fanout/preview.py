"""Previews: dry runs for the API, planned by a worker because only workers hold the index."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import orjson
import structlog

from relay.adapter import Class, Kind
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.cap.parse import parse_json, parse_xml
from relay.cap.priority import alert_class
from relay.errors import InvalidAlert, StoreUnavailable
from relay.fanout.channels import Channels
from relay.fanout.matcher import Audience, Matcher
from relay.messages.holes import at_longest
from relay.messages.message import Message
from relay.messages.render import render
from relay.messages.sms import count
from relay.process import first
from relay.settings import Settings
from relay.store.receipts import Previews

log = structlog.get_logger()

_BLOCK = 10.0
_PAUSE = 0.1


class Previewer:
    """Answers dry runs."""

    def __init__(
        self, previews: Previews, matcher: Matcher, channels: Channels, *, settings: Settings, limits: Limits
    ) -> None:
        self._previews = previews
        self._matcher = matcher
        self._channels = channels
        self._settings = settings
        self._limits = limits

    async def run(self, stopping: asyncio.Event) -> None:
        """Answer until ``stopping``."""
        while not stopping.is_set():
            try:
                request = await first(self._previews.take(seconds=_BLOCK), stopping)
                if request is not None:
                    await self._answer(orjson.loads(request))
            except StoreUnavailable:
                await asyncio.sleep(_PAUSE)

    async def _answer(self, request: Mapping[str, Any]) -> None:
        try:
            answer = await self._preview(request)
        except InvalidAlert as error:
            answer = {"error": error.detail}
        except StoreUnavailable:
            raise
        except Exception:  # a preview must not end the worker that sends
            log.exception("preview_failed")
            answer = {"error": "the preview failed; see the worker's log"}
        await self._previews.answer(request["id"], orjson.dumps(answer))

    async def _preview(self, request: Mapping[str, Any]) -> dict[str, Any]:
        body = base64.b64decode(request["body"])
        if request["media"] == "json":
            alert = parse_json(body, limits=self._limits, strict=False).alert
        else:
            alert = parse_xml(body, charset=request["charset"] or None, limits=self._limits, strict=False).alert
        klass = alert_class(alert, flash_events=self._settings.priority.flash_events)
        audience = await self._matcher.match(alert, drill=klass is Class.PX)
        return {
            "priority": klass,
            "recipients": audience.recipients,
            "messages": {str(kind): len(pairs) for kind, pairs in audience.pairs.items() if len(pairs)},
            "segments": self._segments(alert, audience, klass),
        }

    def _segments(self, alert: Alert, audience: Audience, klass: Class) -> dict[str, int]:
        """Return the SMS parts that one message has in each language it would be sent in."""
        pairs = audience.pairs.get(Kind.SMS)
        if pairs is None:
            return {}
        two_way = any(channel.two_way for channel in self._channels if channel.descriptor.kind is Kind.SMS)
        segments: dict[str, int] = {}
        for number in sorted(set(pairs.infos.tolist())):
            info = alert.info[number]
            message = Message(
                alert=alert, info=info, alert_id="", klass=klass, expires=alert.sent.instant, two_way=two_way
            )
            segments[info.language or "en-US"] = count(at_longest(render(message, Kind.SMS).text)).parts
        return segments
