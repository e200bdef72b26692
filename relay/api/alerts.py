"""``POST /v1/alerts``: accept or preview an alert; and what people decide about one that was accepted."""

from __future__ import annotations

import base64
from typing import Any, Literal

import orjson
import structlog
from aiohttp import web
from pydantic import Field

from relay.api import body
from relay.api.call import Call, Route, answer
from relay.api.documents import Document, check_charset, read_document
from relay.api.problems import Problem, Refused, findings_json, not_found, problem_of, refuse, shown, unsupported_form
from relay.api.query import Query
from relay.api.recent import RECENT
from relay.api.refusals import refusal, safe
from relay.api.services import Services
from relay.errors import IdentifierConflict, InvalidInput, JournalUnavailable
from relay.intake.answer import Answer, Judged, Post
from relay.intake.authority import Action
from relay.intake.verdict import State

log = structlog.get_logger()

PREVIEW_SECONDS = 10.0

_XML = frozenset({"application/cap+xml", "application/xml", "text/xml"})
_JSON = frozenset({"application/json", "text/json"})
_FORM = "application/x-www-form-urlencoded"


class Cancel(Document):
    """The body of ``POST …/cancel``."""

    reason: str = Field("", max_length=1000)


class Approval(Document):
    """The body of ``POST …/approval``."""

    decision: Literal["approve", "reject"]
    reason: str = Field("", max_length=1000)


def routes(_: Services) -> list[Route]:
    """Return the routes of this file."""
    own = frozenset({Action.CANCEL_OWN, Action.CANCEL_ANY})
    return [
        Route("POST", "/v1/alerts", post, frozenset({Action.POST_ALERT})),
        Route("POST", "/v1/alerts/{id}/cancel", cancel, own),
        Route("POST", "/v1/alerts/{id}/approval", approve, frozenset({Action.APPROVE})),
    ]


async def post(call: Call) -> web.StreamResponse:
    """Accept an alert, or say what would become of it."""
    services, request = call.services, call.request
    wait = services.quota.take(call.key.key_id)
    if wait:
        headers = {"Retry-After": str(int(wait) + 1)}
        raise refuse("rate-limited", 429, "This key has used its posts of this minute.", headers=headers)
    query = Query(request, ("dry_run", "mode"), strangers=True)
    dry_run, strict = query.flag("dry_run"), query.choice("mode", ("strict", "lenient")) == "strict"
    raw = b""
    try:
        media, charset = _media(request)
        raw = await body.read(
            request, limit=services.settings.cap.max_bytes, timeout=services.settings.api.body_timeout
        )
        given = Post(
            body=raw,
            media=media,
            content_type=request.headers["Content-Type"],
            charset=charset,
            strict=strict,
        )
        return await (_preview(call, given) if dry_run else _accept(call, given))
    except (Refused, InvalidInput, IdentifierConflict, JournalUnavailable) as error:
        problem = error.problem if isinstance(error, Refused) else problem_of(error)
        if not dry_run:
            _refused(call, problem, raw)
        raise


def _media(request: web.Request) -> tuple[str, str]:
    """Return ``xml`` or ``json`` and the charset of the header."""
    media = body.media_type(request)
    if media.name in _XML:
        return "xml", media.charset
    if media.name in _JSON:
        check_charset(media)
        return "json", ""
    if media.name == _FORM:
        raise unsupported_form()
    raise refuse(
        "unsupported-media-type",
        415,
        f"“{shown(media.name)}” is not taken. Send application/cap+xml, application/xml, text/xml or application/json.",
    )


async def _accept(call: Call, given: Post) -> web.Response:
    services, metrics = call.services, call.services.metrics
    began = services.clock.monotonic()
    try:
        accepted = await services.accept.post(given, key=call.key)
    finally:
        metrics.accept_seconds.observe(services.clock.monotonic() - began)
    document = accepted_json(accepted, language=call.language)
    call.request.app[RECENT].add(accepted.alert_id, agency=call.key.name, answer=document)
    outcome = _outcome(accepted)
    metrics.posts.labels(outcome).inc()
    if accepted.duplicate is None:
        metrics.alerts.labels(accepted.klass).inc()
    log.info(
        "posted",
        alert=accepted.alert_id,
        outcome=outcome,
        priority=str(accepted.klass),
        agency=call.key.name,
        redis=accepted.redis,
        size=len(given.body),
    )
    headers = {"Location": f"/v1/alerts/{accepted.alert_id}"}
    return answer(document, status=200 if accepted.duplicate else 202, headers=headers)


def _outcome(accepted: Answer) -> str:
    if accepted.duplicate is not None:
        return "duplicate"
    return accepted.state if accepted.state in (State.HELD, State.EXPIRED) else "accepted"


def accepted_json(accepted: Answer, *, language: str) -> dict[str, Any]:
    """Return what the agency is told, in the shape of design §16."""
    duplicate = None
    if accepted.duplicate is not None:
        of, key, why = accepted.duplicate
        duplicate = {"of": of, "key": key, "why": why}
    return {
        "id": accepted.alert_id,
        "state": accepted.state,
        "reason": accepted.reason or None,
        "priority": str(accepted.klass),
        "identifier": accepted.identifier,
        "sender": accepted.sender,
        "sent": accepted.sent,
        "durability": {"journal": "fsync", "redis": accepted.redis, "copies": accepted.copies},
        "duplicate": duplicate,
        "findings": findings_json(accepted.findings, language=language),
    }


async def _preview(call: Call, given: Post) -> web.Response:
    """Judge here, where no worker is needed, and ask a worker who would be told."""
    judged = await call.services.accept.judged(given, key=call.key)
    asked = {
        "id": call.request_id,
        "media": given.media,
        "charset": given.charset,
        "body": base64.b64encode(given.body).decode(),
        "mode": call.key.mode.value,
    }
    found = await call.services.previews.ask(call.request_id, orjson.dumps(asked), seconds=PREVIEW_SECONDS)
    planned = orjson.loads(found) if found is not None else {"error": "no worker answered in time"}
    if "error" in planned:
        headers = {"Retry-After": "5"}
        raise refuse("preview-unavailable", 503, f"No preview can be made: {planned['error']}.", headers=headers)
    return answer(preview_json(judged, planned, language=call.language))


def preview_json(judged: Judged, planned: dict[str, Any], *, language: str) -> dict[str, Any]:
    """Return the answer of a dry run: what intake decides, and what the worker's plan found."""
    return {
        "state": str(judged.verdict.state),
        "reason": judged.verdict.reason or None,
        "priority": str(judged.klass),
        "recipients": planned["recipients"],
        "messages": planned["messages"],
        "segments": planned["segments"],
        "findings": findings_json(judged.findings, language=language),
    }


def _refused(call: Call, problem: Problem, raw: bytes) -> None:
    services = call.services
    outcomes = {409: "conflict", 503: "unavailable"}
    services.metrics.posts.labels(outcomes.get(problem.status, "refused")).inc()
    flash = services.settings.priority.flash_events
    entry = refusal(problem, raw, key=call.key, clock=services.clock, flash_events=flash)
    log.warning("post_refused", request=call.request_id, **safe(entry))
    services.state.refuse(entry)


async def cancel(call: Call) -> web.StreamResponse:
    """Cancel an alert in one action."""
    services, alert_id = call.services, call.part("id")
    asked = await read_document(call.request, Cancel, timeout=services.settings.api.body_timeout, optional=True)
    stored = await services.decisions.find(alert_id)
    if stored is None or not (call.may(Action.CANCEL_ANY) or stored["agency"] == call.key.name):
        raise not_found()
    done = await services.decisions.cancel(alert_id, reason=asked.reason, key=call.key)
    log.info("cancelled", alert=alert_id, cancel=done.cancel_id, by=call.key.key_id)
    headers = {"Location": f"/v1/alerts/{done.cancel_id}"}
    return answer({"id": done.cancel_id, "cancels": done.cancels}, status=202, headers=headers)


async def approve(call: Call) -> web.StreamResponse:
    """Approve or reject a held alert."""
    services, alert_id = call.services, call.part("id")
    asked = await read_document(call.request, Approval, timeout=services.settings.api.body_timeout)
    if not await services.alerts.state(alert_id):
        raise not_found()
    state = await services.decisions.approve(alert_id, decision=asked.decision, reason=asked.reason, key=call.key)
    log.info("decided", alert=alert_id, decision=asked.decision, by=call.key.key_id)
    return answer({"id": alert_id, "state": state, "decision": asked.decision})
