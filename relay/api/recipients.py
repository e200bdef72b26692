"""``/v1/recipients``: who is to be told, one at a time or as a stream of lines."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Sequence

import orjson
import structlog
from aiohttp import web

from relay.api import body
from relay.api.call import Call, Route, answer
from relay.api.documents import LIMIT, check_json, load
from relay.api.problems import not_found, refuse
from relay.api.query import Query
from relay.api.services import Services
from relay.directory.importing import LineError, LineRecipient, Report, parse_lines
from relay.directory.recipient import from_json, parse, public, with_previous
from relay.errors import StoreUnavailable
from relay.intake.authority import Action

log = structlog.get_logger()

BATCH = 500

#: One import has at most this many bytes; a national directory of ten million people fits.
MOST_BYTES = 8 * 1024**3

_NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json"})


def routes(_: Services) -> list[Route]:
    """Return the routes of this file; the fixed words come before the ids."""
    needs = frozenset({Action.DIRECTORY})
    return [
        Route("GET", "/v1/recipients", list_recipients, needs),
        Route("POST", "/v1/recipients/import", import_recipients, needs),
        Route("GET", "/v1/recipients/export", export_recipients, needs),
        Route("GET", "/v1/recipients/{id}", get_recipient, needs),
        Route("PUT", "/v1/recipients/{id}", put_recipient, needs),
        Route("DELETE", "/v1/recipients/{id}", delete_recipient, needs),
    ]


def make_secret() -> str:
    """Return a signing secret for a webhook that came without one."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


async def get_recipient(call: Call) -> web.StreamResponse:
    """Return one recipient, without secrets."""
    Query(call.request, ())
    found = await call.services.directory.get(call.part("id"))
    if found is None:
        raise not_found()
    return answer(public(found))


async def put_recipient(call: Call) -> web.StreamResponse:
    """Store one recipient; secrets that the relay made are shown this once."""
    services, recipient_id = call.services, call.part("id")
    check_json(call.request)
    raw = await body.read(call.request, limit=LIMIT, timeout=services.settings.api.body_timeout)
    load(raw)  # the model is lenient about doubled names; this is not
    parsed = parse(raw, guard=services.guard, make_secret=make_secret, recipient_id=recipient_id)
    previous = await services.directory.get(recipient_id)
    parsed = with_previous(parsed, previous)
    await services.directory.put(parsed.recipient)
    log.info("recipient_stored", recipient=recipient_id, created=previous is None, by=call.key.key_id)
    shown = public(parsed.recipient, reveal=parsed.new_secrets)
    return answer(shown, status=201 if previous is None else 200)


async def delete_recipient(call: Call) -> web.StreamResponse:
    """Take one recipient out; he is told nothing from the next chunk on."""
    recipient_id = call.part("id")
    if await call.services.directory.get(recipient_id) is None:
        raise not_found()
    await call.services.directory.delete(recipient_id)
    log.info("recipient_deleted", recipient=recipient_id, by=call.key.key_id)
    return web.Response(status=204)


async def import_recipients(call: Call) -> web.StreamResponse:
    """Store a stream of recipients, one JSON object a line; good lines are stored whatever the others say."""
    Query(call.request, ())
    services = call.services
    media = body.media_type(call.request)
    if media.name not in _NDJSON:
        raise refuse("unsupported-media-type", 415, "Send one JSON object a line as application/x-ndjson.")
    chunks = body.stream(call.request, limit=MOST_BYTES, timeout=services.settings.api.body_timeout)
    report, batch = Report(), list[LineRecipient]()
    async for line in parse_lines(chunks, guard=services.guard, make_secret=make_secret):
        if isinstance(line, LineError):
            report.refused(line)
            continue
        batch.append(line)
        if len(batch) == BATCH:
            await _store(services, batch, report)
            batch = []
    await _store(services, batch, report)
    durable = await services.directory.finish_import()
    log.info("recipients_imported", imported=report.imported, updated=report.updated, failed=report.failed)
    return answer({**report.to_dict(), **({} if durable else {"durable": False})})


async def _store(services: Services, batch: Sequence[LineRecipient], report: Report) -> None:
    if batch:
        stored = await services.directory.import_batch([line.parsed for line in batch])
        report.stored(created=stored.created, updated=stored.updated)


async def list_recipients(call: Call) -> web.StreamResponse:
    """List recipients by ordinal."""
    query = Query(call.request, ("cursor", "limit"))
    cursor, limit = query.cursor(), query.limit()
    if cursor and not (cursor.isdecimal() and len(cursor) <= 10):
        raise refuse("bad-parameter", 400, "cursor is not one that we gave. Begin without it.")
    rows: list[dict[str, object]] = []
    after = None
    async for ordinal, text in _rows(call.services, first=int(cursor or 0), buckets=4):
        if len(rows) == limit:
            after = str(ordinal)
            break
        rows.append(public(from_json(text)))
    return answer({"recipients": rows, "next": after})


async def export_recipients(call: Call) -> web.StreamResponse:
    """Stream all recipients in the form that an import takes, without secrets."""
    Query(call.request, ())
    rows = _rows(call.services, first=0, buckets=16)
    first = await anext(rows, None)  # Redis must answer before 200 is said
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(call.request)
    try:
        if first is not None:
            await response.write(_line(first[1]))
        lines: list[bytes] = []
        async for _, text in rows:
            lines.append(_line(text))
            if len(lines) >= BATCH:
                await response.write(b"".join(lines))
                lines = []
                await asyncio.sleep(0)
        await response.write(b"".join(lines))
    except StoreUnavailable as error:
        # Half a list must not look like a whole one: without its last chunk the client sees that it was cut.
        raise ConnectionError("Redis went away during an export") from error
    await response.write_eof()
    return response


def _line(text: bytes) -> bytes:
    return orjson.dumps(public(from_json(text)), option=orjson.OPT_APPEND_NEWLINE)


async def _rows(services: Services, *, first: int, buckets: int) -> AsyncIterator[tuple[int, bytes]]:
    """Yield (ordinal, JSON) of recipients that were not taken out."""
    async for batch in services.directory_store.scan(first=first, buckets=buckets):
        for ordinal, text in batch:
            if not text.endswith(b'"deleted":true}'):
                yield ordinal, text
