"""The demo as an agency and an operator: HTTP to the relay, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson

from relay.clock import Clock
from relay.demo.faults import Fault

_TIMEOUT: Final = 20.0
_PAGE: Final = 1000

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What a POST was answered: ``took`` in seconds, ``at`` the wall-clock time of the answer."""

    status: int
    body: Document
    took: float
    at: float

    @property
    def alert_id(self) -> str:
        """The id of the alert, empty when it was refused."""
        return str(self.body.get("id", ""))


class RelayClient:
    """One session; ``key`` is used unless a call names another."""

    def __init__(self, url: str, key: str, *, clock: Clock) -> None:
        self.url = url
        self._clock = clock
        self._http = aiohttp.ClientSession(
            base_url=url,
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT),
            json_serialize=lambda value: orjson.dumps(value).decode(),
        )

    async def close(self) -> None:
        """End the session."""
        await self._http.close()

    async def create_key(self, *, name: str, sender: str, area: str) -> str:
        """Make an agency's key that may warn in ``area``.

        Raises:
            Fault: the relay did not make it.
        """
        wanted = {"role": "agency", "name": name, "senders": [sender], "area": area}
        return str((await self._ask("POST", "/v1/keys", {201, 200}, json=wanted))["key"])

    async def import_people(self, lines: bytes | AsyncIterable[bytes]) -> int:
        """Import recipients and return how many are stored.

        Raises:
            Fault: a line was refused.
        """
        done = await self._ask(
            "POST",
            "/v1/recipients/import",
            {200},
            data=lines,
            headers={"Content-Type": "application/x-ndjson"},
        )
        if done["failed"]:
            raise Fault(f"{done['failed']} recipients were refused: {done['errors'][:1]}")
        return int(done["imported"]) + int(done["updated"])

    async def post_alert(self, xml: bytes, *, key: str) -> Posted:
        """Post an alert as an agency does."""
        headers = {"Content-Type": "application/cap+xml", "Authorization": f"Bearer {key}"}
        return await self._post("/v1/alerts", xml, headers)

    async def cancel(self, alert_id: str) -> Posted:
        """Cancel an alert in one action."""
        return await self._post(f"/v1/alerts/{alert_id}/cancel", b"", {})

    async def acknowledge(self, link: str) -> int:
        """Press the button behind ``link`` as its reader does, without a key; return the HTTP status.

        Raises:
            Fault: the relay cannot be reached.
        """
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT)) as reader,
                reader.post(link, data={"answer": "1"}, allow_redirects=False) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Fault(f"the link for acknowledging cannot be opened: {_why(error)}") from error

    async def alert(self, alert_id: str) -> Document:
        """Return an alert with its counts.

        Raises:
            Fault: the relay does not know it.
        """
        return await self._ask("GET", f"/v1/alerts/{alert_id}", {200})

    async def deliveries(self, alert_id: str) -> list[Document]:
        """Return every delivery of an alert.

        Raises:
            Fault: the relay does not know it.
        """
        found: list[Document] = []
        query = {"limit": str(_PAGE)}
        while True:
            page = await self._ask("GET", f"/v1/alerts/{alert_id}/deliveries", {200}, params=query)
            found += page["deliveries"]
            if page["next"] is None:
                return found
            query["cursor"] = str(page["next"])

    async def status(self) -> Document:
        """Return the figures of the status page.

        Raises:
            Fault: the relay does not answer.
        """
        return await self._ask("GET", "/status", {200})

    async def ready(self) -> bool:
        """Whether the relay accepts alerts."""
        try:
            async with self._http.get("/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        began = self._clock.monotonic()
        try:
            async with self._http.post(path, data=body, headers=headers) as answer:
                text = await answer.read()
                took = self._clock.monotonic() - began
                return Posted(status=answer.status, body=_document(text), took=took, at=self._clock.time())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Fault(f"POST {path} was not answered: {_why(error)}") from error

    async def _ask(self, method: str, path: str, wanted: set[int], **more: Any) -> Document:  # noqa: ANN401 - aiohttp's
        try:
            async with self._http.request(method, path, **more) as answer:
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Fault(f"{method} {path} was not answered: {_why(error)}") from error
        document = _document(text)
        if answer.status not in wanted:
            raise Fault(f"{method} {path} was answered {answer.status} {document.get('title', '')}".rstrip())
        return document


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__


def _document(text: bytes) -> Document:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
