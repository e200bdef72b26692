"""A small HTTP client for one relay: one request at a time, every wait bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from relay.commands.failures import Failed, Refused, Unreachable
from relay.commands.target import Target

ANSWER_WITHIN = 30.0
CONNECT_WITHIN = 5.0
SILENCE = 120.0
"""Seconds without a byte after which a long upload or download is given up."""

JSON = "application/json"
NDJSON = "application/x-ndjson"

_LONG = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_WITHIN, sock_read=SILENCE)

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the relay said, and its bytes as they came."""

    status: int
    body: bytes

    def document(self) -> dict[str, Any]:
        """Return the JSON object in the body, empty when there is no body.

        Raises:
            Failed: it is something else, so this is probably no relay.
        """
        if not self.body.strip():
            return {}
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Failed("the answer is not JSON: is there really a relay at this address?") from error
        if not isinstance(value, dict):
            raise Failed("the answer is not a JSON object: is there really a relay at this address?")
        return value


class Client:
    """Asks one relay.

    Every method raises:
        Unreachable: nobody answers at the address, or not in time.
        Refused: the answer is a problem (status 400 or above).
        Failed: the answer makes no sense.
    """

    def __init__(self, target: Target, *, language: str = "en") -> None:
        self._target = target
        self._headers = {"Accept": JSON, "Accept-Language": language, "User-Agent": "Chapar-CLI"}
        if target.key:
            self._headers["Authorization"] = f"Bearer {target.key}"

    def get(self, path: str, *, params: Params | None = None, within: float = ANSWER_WITHIN) -> Answer:
        """Return the answer to a GET, waiting ``within`` seconds."""
        return asyncio.run(self._ask("GET", path, params=params, within=within))

    def delete(self, path: str) -> Answer:
        """Return the answer to a DELETE."""
        return asyncio.run(self._ask("DELETE", path))

    def put(self, path: str, body: bytes) -> Answer:
        """Return the answer to a PUT of JSON."""
        return asyncio.run(self._ask("PUT", path, body=body))

    def post(self, path: str, body: bytes = b"", *, media: str = JSON, params: Params | None = None) -> Answer:
        """Return the answer to a POST."""
        return asyncio.run(self._ask("POST", path, body=body, media=media, params=params))

    def post_document(self, path: str, document: Mapping[str, Any]) -> Answer:
        """Return the answer to a POST of a JSON object."""
        return self.post(path, orjson.dumps(document))

    def upload(self, path: str, chunks: AsyncIterable[bytes], *, media: str) -> Answer:
        """Return the answer to a POST whose body is read while it is sent; only silence ends it."""
        return asyncio.run(self._ask("POST", path, body=chunks, media=media))

    def download(self, path: str, take: Callable[[bytes], object]) -> None:
        """Give the body of a GET to ``take`` piece by piece, until ``take`` returns False."""
        asyncio.run(self._download(path, take))

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | AsyncIterable[bytes] = b"",
        media: str = JSON,
        params: Params | None = None,
        within: float = ANSWER_WITHIN,
    ) -> Answer:
        at_once = isinstance(body, bytes)
        timeout = _bounded(within) if at_once else _LONG
        headers = {**self._headers, "Content-Type": media} if body else self._headers
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(
                    method,
                    self._url(path),
                    data=body or None,
                    headers=headers,
                    expect100=not at_once,  # a refusal comes before a long file is sent in vain
                    **self._how(params),
                ) as got,
            ):
                return self._checked(Answer(got.status, await got.read()))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(error) from error

    async def _download(self, path: str, take: Callable[[bytes], object]) -> None:
        try:
            async with (
                aiohttp.ClientSession(timeout=_LONG) as session,
                session.get(self._url(path), headers={**self._headers, "Accept": "*/*"}, **self._how(None)) as got,
            ):
                if got.status != 200:
                    self._checked(Answer(got.status, await got.read()))
                async for piece in got.content.iter_any():
                    if take(piece) is False:
                        return
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(error) from error

    def _url(self, path: str) -> str:
        return f"{self._target.url}{path}"

    def _how(self, params: Params | None) -> dict[str, Any]:
        # A redirect would carry the key to wherever it points.
        return {"params": params, "allow_redirects": False, "ssl": self._target.tls() or True}

    def _checked(self, answer: Answer) -> Answer:
        if answer.status < 300:
            return answer
        if answer.status == 401 and not self._target.key:
            raise Failed(
                f"the relay at {self._target.url} wants a key, and there is none at {self._target.key_file}. "
                "Name a file that holds one with --key-file, or the relay's configuration with --config."
            )
        raise Refused(_problem(answer), answer.body)

    def _unreachable(self, error: Exception) -> Unreachable:
        url = self._target.url
        match error:
            case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
                return Unreachable(f"{url} is no address of a relay; write for example http://127.0.0.1:8080")
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
                return Unreachable(f"the relay at {url} does not show the certificate that is expected: {error}")
            case TimeoutError():
                return Unreachable(
                    f"the relay at {url} does not answer in time; look at its log, or at ./run relay doctor"
                )
            case aiohttp.ClientConnectorError():
                return Unreachable(f"no relay answers at {url}; start it with ./run serve")
            case _:
                return Unreachable(f"the relay at {url} broke off ({type(error).__name__}); ask again")


def _bounded(within: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=within, sock_connect=CONNECT_WITHIN)


def _problem(answer: Answer) -> Mapping[str, Any]:
    """Return the problem document, or one made up for an answer that is none (a proxy's page, say)."""
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, dict) and ("title" in document or "type" in document):
        return document
    if answer.status < 400:
        return {"title": "The address leads elsewhere", "status": answer.status, "detail": "Name the relay with --url."}
    return {"title": f"The answer was HTTP {answer.status} without an explanation", "status": answer.status}
