"""``/v1/keys``: who may post, operate and approve."""

from __future__ import annotations

from typing import Any

import structlog
from aiohttp import web
from pydantic import Field

from relay.api.call import Call, Route, answer
from relay.api.documents import Document, read_document
from relay.api.query import Query
from relay.api.services import Services
from relay.intake.authority import Action, Key, Mode, Role

log = structlog.get_logger()


class NewKeyDocument(Document):
    """The body of ``POST /v1/keys``."""

    role: Role
    name: str
    senders: tuple[str, ...] = Field((), max_length=100)
    mode: Mode = Mode.LIVE
    strict: bool = False
    area: str = Field("", max_length=50_000)
    hazards: tuple[str, ...] = Field((), max_length=12)


def routes(_: Services) -> list[Route]:
    """Return the routes of this file."""
    needs = frozenset({Action.KEYS})
    return [
        Route("GET", "/v1/keys", list_keys, needs),
        Route("POST", "/v1/keys", create, needs),
        Route("DELETE", "/v1/keys/{id}", revoke, needs),
    ]


async def list_keys(call: Call) -> web.StreamResponse:
    """List all keys, revoked ones too, without anything that could be used to sign in."""
    Query(call.request, ())
    keys = call.services.register.keys()
    return answer({"keys": [key_json(key) for key in keys], "next": None})


async def create(call: Call) -> web.StreamResponse:
    """Make a key; the credential is in this answer and nowhere else."""
    asked = await read_document(call.request, NewKeyDocument, timeout=call.services.settings.api.body_timeout)
    new = await call.services.keys.create(
        role=asked.role,
        name=asked.name,
        senders=asked.senders,
        mode=asked.mode,
        strict=asked.strict,
        area=asked.area,
        hazards=asked.hazards,
    )
    log.info("key_created", id=new.key.key_id, role=str(new.key.role), by=call.key.key_id)
    return answer({"key": new.credential, **key_json(new.key)}, status=201)


async def revoke(call: Call) -> web.StreamResponse:
    """Revoke a key for good."""
    key = await call.services.keys.revoke(call.part("id"))
    log.info("key_revoked", id=key.key_id, by=call.key.key_id)
    return web.Response(status=204)


def key_json(key: Key) -> dict[str, Any]:
    """Return a key as people may see it."""
    return {"id": key.key_id, **key.shown()}
