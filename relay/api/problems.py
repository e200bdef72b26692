"""Problem documents (RFC 9457): what a refused request is told, in English or Russian."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from relay.api.problem_words import (
    AS_IT_IS,
    AS_IT_IS_DETAIL,
    NOTHING_STORED,
    NOTHING_STORED_RU,
    OTHER,
    PROBLEMS,
    Words,
    refused_title,
)
from relay.errors import (
    Finding,
    IdentifierConflict,
    InvalidAlert,
    InvalidInput,
    JournalUnavailable,
    RelayError,
    StoreUnavailable,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 2

_ECHO = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem before it is put into a reader's language.

    ``slug`` and ``status`` as in RFC 9457; ``detail`` is English; ``extra`` are further members; ``words`` replaces
    the table's entry.
    """

    slug: str
    status: int
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    headers: Mapping[str, str] | None = None
    extra: Mapping[str, Any] | None = None
    words: Words | None = None

    def document(self, *, language: str, request_id: str) -> dict[str, Any]:
        """Return the members of the document for a reader of ``language`` (``en`` or ``ru``)."""
        words = self.words or PROBLEMS.get(self.slug, OTHER)
        russian = language == "ru"
        detail = words.detail_ru if russian else self.detail
        document: dict[str, Any] = {
            "type": f"urn:chapar:problem:{self.slug}",
            "title": words.title_ru if russian else words.title,
            "status": self.status,
        }
        if detail:
            document["detail"] = detail
        document["instance"] = f"urn:chapar:request:{request_id}"
        errors = [f for f in self.findings if f.severity == "error"] or list(self.findings)
        if errors:
            document["errors"] = findings_json(errors, language=language)
        rest = [f for f in self.findings if f not in errors]
        if rest:
            document["findings"] = findings_json(rest, language=language)
        return {**document, **(self.extra or {})}

    def response(self, *, language: str, request_id: str) -> web.Response:
        """Return the document as an HTTP response."""
        return web.Response(
            status=self.status,
            body=orjson.dumps(self.document(language=language, request_id=request_id)),
            content_type=MEDIA_TYPE,
            charset="utf-8",
            headers={**(self.headers or {}), "Content-Language": language},
        )


class Refused(Exception):
    """Raised by a handler to answer with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.slug)
        self.problem = problem


def refuse(
    slug: str, status: int, detail: str = "", *, headers: Mapping[str, str] | None = None, words: Words | None = None
) -> Refused:
    """Return the exception that answers with this problem."""
    return Refused(Problem(slug=slug, status=status, detail=detail, headers=headers, words=words))


def not_found() -> Refused:
    """Return the one answer for what is not there, or is somebody else's: nobody learns which."""
    return refuse("not-found", 404, "There is nothing here for this key.")


def unsupported_form() -> Refused:
    """Return the answer to ``curl -d @alert.xml``."""
    return refuse("unsupported-media-type", 415, AS_IT_IS_DETAIL, words=AS_IT_IS)


def problem_of(error: RelayError) -> Problem:
    """Return the problem that an error of the services means.

    Raises:
        RelayError: ``error`` itself, when it is no answer to a request but a fault of ours.
    """
    match error:
        case InvalidAlert() if error.findings:
            errors = sum(finding.severity == "error" for finding in error.findings)
            title = refused_title(errors)
            words = Words(title.title, title.title_ru, NOTHING_STORED_RU)
            return _input(error, words=words, detail=NOTHING_STORED)
        case InvalidInput():
            return _input(error)
        case IdentifierConflict():
            detail = (
                f"{NOTHING_STORED} Another alert with this sender, identifier and sent says something else and is"
                " accepted already. Give the new one another identifier."
            )
            return Problem(slug="identifier-conflict", status=409, detail=detail, extra={"existing": error.existing})
        case JournalUnavailable():
            return _not_now("journal-unavailable", f"{NOTHING_STORED} The journal cannot be written. Send it again.")
        case StoreUnavailable():
            return _not_now("store-unavailable", "Redis cannot be reached now. What was accepted is not lost.")
        case _:
            raise error


def findings_json(findings: Sequence[Finding], *, language: str) -> list[dict[str, Any]]:
    """Return findings in the shape of design §18, their sentences in the reader's language."""
    russian = language == "ru"
    return [
        {
            "rule": finding.rule,
            "severity": finding.severity,
            "message": (finding.message_ru if russian else "") or finding.message,
            "path": finding.path,
            "line": finding.line,
        }
        for finding in findings
    ]


def shown(text: str) -> str:
    """Return at most 64 ASCII characters of what somebody sent, everything else escaped."""
    escaped = text[:_ECHO].encode("ascii", "backslashreplace").decode()
    clean = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in escaped)
    return clean[:_ECHO]


def language_of(header: str | None) -> str:
    """Return ``ru`` or ``en``, whichever an ``Accept-Language`` header likes better."""
    if not header:
        return "en"
    liked = {"en": 0.0, "ru": 0.0}
    for part in header[:1000].split(","):
        tag, _, parameter = part.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        if name in liked:
            liked[name] = max(liked[name], _quality(parameter))
    return "ru" if liked["ru"] > liked["en"] else "en"


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def _input(error: InvalidInput, *, words: Words | None = None, detail: str = "") -> Problem:
    return Problem(
        slug=error.slug, status=error.status, detail=detail or error.detail, findings=error.findings, words=words
    )


def _not_now(slug: str, detail: str) -> Problem:
    return Problem(slug=slug, status=503, detail=detail, headers={"Retry-After": str(RETRY_AFTER)})
