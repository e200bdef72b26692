"""Small JSON documents of the API: strict, and read into the model of their resource."""

from __future__ import annotations

import json
from typing import NoReturn, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from relay.api import body
from relay.api.problems import refuse, shown
from relay.directory.complaint import describe

LIMIT = 64 * 1024

_JSON = frozenset({"application/json", "text/json"})


class Document(BaseModel):
    """A body whose fields are all known."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


D = TypeVar("D", bound=Document)


async def read_document(request: web.Request, model: type[D], *, timeout: float, optional: bool = False) -> D:
    """Return the document in the body; ``optional``: no body at all means every default.

    Raises:
        Refused: 400, 408, 413 or 415: the body is not taken.
        InvalidInput: 422 ``validation-failed`` with a finding for each field at fault.
    """
    if optional and not request.can_read_body:
        return model()
    check_json(request)
    raw = await body.read(request, limit=LIMIT, timeout=timeout)
    if optional and not raw.strip():
        return model()
    value = load(raw)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise describe(error, model.model_fields) from error


def check_json(request: web.Request) -> None:
    """Check that the body is said to be JSON.

    Raises:
        Refused: 415.
    """
    media = body.media_type(request)
    if media.name not in _JSON:
        raise refuse("unsupported-media-type", 415, "Send JSON with Content-Type: application/json.")
    check_charset(media)


def check_charset(media: body.MediaType) -> None:
    """Check that JSON is said to be UTF-8, if anything.

    Raises:
        Refused: 415.
    """
    if media.charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise refuse("unsupported-charset", 415, f"JSON is UTF-8, not “{shown(media.charset)}”.")


def load(raw: bytes) -> object:
    """Return the value of clean JSON: UTF-8, no doubled names, no NaN, not too deep.

    Raises:
        Refused: 400.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse("bad-unicode", 400, f"The body is not UTF-8 at byte {error.start}.") from error
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise refuse("bad-unicode", 400, "A text holds half of a surrogate pair.") from error
    except RecursionError as error:
        raise refuse("too-deep", 400, "The document is nested too deeply.") from error
    except ValueError as error:
        raise refuse("malformed-json", 400, f"This is not JSON: {shown(str(error))}.") from error
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise refuse("duplicate-key", 400, "A field is given twice.")
    return members


def _constant(token: str) -> NoReturn:
    raise refuse("malformed-json", 400, f"{token} is no number in JSON.")
