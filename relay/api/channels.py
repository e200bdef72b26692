"""``/v1/channels``: what is configured, how it is doing, and the switch of each."""

from __future__ import annotations

from typing import Any

import structlog
from aiohttp import web

from relay.api.call import Call, Route, answer
from relay.api.problems import not_found
from relay.api.query import Query
from relay.api.services import Services
from relay.api.status import seen
from relay.api.switches import read_reason
from relay.intake.authority import Action
from relay.tracking.status import channels_json

log = structlog.get_logger()


def routes(_: Services) -> list[Route]:
    """Return the routes of this file."""
    needs = frozenset({Action.CHANNELS})
    return [
        Route("GET", "/v1/channels", list_channels, needs),
        Route("POST", "/v1/channels/{name}/pause", pause, needs),
        Route("POST", "/v1/channels/{name}/resume", resume, needs),
    ]


async def list_channels(call: Call) -> web.StreamResponse:
    """List the configured channels."""
    Query(call.request, ())
    now = await seen(call.services, alerts=False)
    rows = [{**row, **_configured(call.services, row["name"])} for row in channels_json(now)]
    return answer({"channels": rows, "next": None})


def _configured(services: Services, name: str) -> dict[str, Any]:
    """Return what may be shown of a channel's settings: never those of its adapter, which hold secrets."""
    channel = services.settings.channels.get(name)
    if channel is None:
        return {}
    return {
        "adapter": channel.adapter,
        "order": channel.order,
        "rate": channel.rate,
        "lanes": channel.lanes,
        "match": channel.match,
    }


async def pause(call: Call) -> web.StreamResponse:
    """Send nothing through one channel; its deliveries wait."""
    name = _known(call)
    await call.services.controls.pause(name, reason=await read_reason(call), key=call.key)
    log.warning("channel_paused", channel=name, by=call.key.key_id)
    return answer({"name": name, "state": "paused"})


async def resume(call: Call) -> web.StreamResponse:
    """Send through a channel again."""
    name = _known(call)
    await call.services.controls.resume_channel(name, reason=await read_reason(call), key=call.key)
    log.warning("channel_resumed", channel=name, by=call.key.key_id)
    return answer({"name": name, "state": "resumed"})


def _known(call: Call) -> str:
    name = call.part("name")
    if name not in call.services.kinds:
        raise not_found()
    return name
