"""The relay's HTTP interface as the bench uses it; every wait is bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson

from bench.alerts import Grade, cap
from bench.people import Crowd

_TIMEOUT = 90.0
_IMPORT = 1800.0
_LOOK = 0.05

Document = dict[str, Any]


class NotReached(Exception):
    """Something did not happen that must happen before anything can be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """An accepted alert: when its POST began and when 202 was here, in wall-clock seconds."""

    alert_id: str
    began: float
    accepted: float


class Client:
    """One session with one key."""

    def __init__(self, http: aiohttp.ClientSession, key: str) -> None:
        self._http = http
        self.key = key

    @classmethod
    @asynccontextmanager
    async def to(cls, url: str, key: str) -> AsyncIterator[Client]:
        """Open a session to the relay at ``url``."""
        async with aiohttp.ClientSession(
            base_url=url,
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT),
        ) as http:
            yield cls(http, key)

    async def workers(self, *, since: float = 0.0) -> int:
        """Return how many workers were heard of since a moment (wall clock); -1 while relay or Redis is away."""
        try:
            async with self._http.get("/status") as answer:
                if answer.status != 200:
                    return -1
                longest, status = time.time() - since, orjson.loads(await answer.read())
                alive = sum(row["alive"] and row["age_s"] <= longest for row in status["workers"])
                return -1 if status["stale"] else alive
        except (aiohttp.ClientError, TimeoutError):
            return -1

    async def import_people(self, crowd: Crowd) -> None:
        """Import a crowd.

        Raises:
            NotReached: not all of it was stored.
        """

        async def lines() -> AsyncIterator[bytes]:
            for part in crowd.lines():
                yield part

        report = await self._ask(
            "POST",
            "/v1/recipients/import",
            data=lines(),
            headers={"Content-Type": "application/x-ndjson"},
            timeout=aiohttp.ClientTimeout(total=_IMPORT),
        )
        if report["imported"] != crowd.count:
            raise NotReached(f"of {crowd.count} recipients {report['imported']} were stored: {report['errors'][:1]}")

    async def agency(self, name: str = "bench") -> str:
        """Make a key for the agency whose alerts the bench posts; return it."""
        asked = {"role": "agency", "name": name, "senders": ["*@meteo.example"]}
        return str((await self._ask("POST", "/v1/keys", json=asked))["key"])

    async def look(self, path: str) -> Document:
        """Return any document of the API."""
        return await self._ask("GET", path)

    async def post(self, identifier: str, grade: Grade, polygon: str, *, brief: bool = False) -> Posted:
        """Post an alert; a ``brief`` one is one part as a text message.

        Raises:
            NotReached: it was not accepted.
        """
        raw = cap(identifier, grade, polygon, now=datetime.now(UTC), brief=brief)
        began = time.time()
        document = await self._ask("POST", "/v1/alerts", data=raw, headers={"Content-Type": "application/cap+xml"})
        accepted = time.time()
        if document["state"] not in ("accepted", "active", "completed"):
            raise NotReached(f"the alert is {document['state']}: {document.get('reason')}")
        return Posted(alert_id=document["id"], began=began, accepted=accepted)

    async def cancel(self, alert_id: str) -> Posted:
        """Cancel an alert; return the Cancel, which is an alert of its own."""
        began = time.time()
        document = await self._ask("POST", f"/v1/alerts/{alert_id}/cancel")
        return Posted(alert_id=document["id"], began=began, accepted=time.time())

    async def planned(self, alert_id: str, *, within: float) -> None:
        """Wait until an alert is being sent.

        Raises:
            NotReached: it was not within ``within`` seconds.
        """
        ends = time.perf_counter() + within
        while (await self._ask("GET", f"/v1/alerts/{alert_id}"))["state"] == "accepted":
            if time.perf_counter() > ends:
                raise NotReached(f"the alert {alert_id} was not planned in {within:.0f} s")
            await asyncio.sleep(0.02)

    async def completed(self, alert_id: str, *, within: float) -> Document:
        """Wait until an alert is completed.

        Raises:
            NotReached: it was not within ``within`` seconds, or came to something else.
        """
        return await self._until(alert_id, within, lambda document: document["state"] == "completed")

    async def counted(self, alert_id: str, counts: Mapping[str, int], *, within: float) -> Document:
        """Wait until an alert's deliveries are in these states, whether or not they will change again.

        Raises:
            NotReached: they were not within ``within`` seconds, or the alert came to something else.
        """
        return await self._until(alert_id, within, lambda document: document.get("counts") == counts, wait=0)

    async def _until(
        self, alert_id: str, within: float, reached: Callable[[Document], bool], *, wait: int = 10
    ) -> Document:
        ends = time.perf_counter() + within
        while True:
            document = await self._ask("GET", f"/v1/alerts/{alert_id}", params={"wait": str(wait)} if wait else {})
            if reached(document):
                return document
            over = document["state"] not in ("accepted", "active", "completed")
            if over or time.perf_counter() > ends:
                raise NotReached(f"the alert is {document['state']} with {document.get('counts')}")
            await asyncio.sleep(0 if wait else _LOOK)

    async def _ask(self, method: str, path: str, **more: Any) -> Document:  # noqa: ANN401 -- aiohttp's
        async with self._http.request(method, path, **more) as answer:
            text = await answer.read()
        if answer.status not in (200, 201, 202):
            raise NotReached(f"{method} {path} was answered {answer.status}: {text[:300].decode(errors='replace')}")
        document: Document = orjson.loads(text)
        return document
