"""``POST /v1/stop`` and ``/v1/resume``: everything stands still within a second, and goes on."""

from __future__ import annotations

import structlog
from aiohttp import web
from pydantic import Field

from relay.api.call import Call, Route, answer
from relay.api.documents import Document, read_document
from relay.api.services import Services
from relay.intake.authority import Action

log = structlog.get_logger()


class Reason(Document):
    """The body of every switch; it may be left out."""

    reason: str = Field("", max_length=1000)


async def read_reason(call: Call) -> str:
    """Return why somebody switches, empty when he does not say."""
    timeout = call.services.settings.api.body_timeout
    return (await read_document(call.request, Reason, timeout=timeout, optional=True)).reason


def routes(_: Services) -> list[Route]:
    """Return the routes of this file."""
    needs = frozenset({Action.STOP})
    return [Route("POST", "/v1/stop", stop, needs), Route("POST", "/v1/resume", resume, needs)]


async def stop(call: Call) -> web.StreamResponse:
    """Stop all sending; accepting goes on."""
    await call.services.controls.stop(reason=await read_reason(call), key=call.key)
    log.warning("stopped", by=call.key.key_id)
    return answer({"stopped": True})


async def resume(call: Call) -> web.StreamResponse:
    """Go on sending."""
    await call.services.controls.resume(reason=await read_reason(call), key=call.key)
    log.warning("resumed", by=call.key.key_id)
    return answer({"stopped": False})
