"""An agency and an operator: HTTP to the relay as the design documents it, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from tests.acceptance.relay_side import Relay, until

Document = dict[str, Any]

SENDER = "duty@meteo.example"
_POLYGON = "43.00,76.60 43.00,77.30 43.50,77.30 43.50,76.60 43.00,76.60"


def marker(number: int) -> str:
    """Return the words in an alert's headline that tell it from every other in what people read."""
    return f"Flood {number:04}"


def alert(
    number: int, *, urgency: str = "Immediate", certainty: str = "Observed", severity: str = "Severe"
) -> Document:
    """Return alert ``number`` as JSON with CAP's own names; the defaults make it P1."""
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "identifier": f"flood-{number:04}",
        "sender": SENDER,
        "sent": now.isoformat(),
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": [
            {
                "language": "en",
                "category": ["Met"],
                "event": "Flood",
                "urgency": urgency,
                "severity": severity,
                "certainty": certainty,
                "expires": (now + timedelta(hours=6)).isoformat(),
                "headline": marker(number),
                "instruction": "Move to higher ground.",
                "area": [{"areaDesc": "Talgar", "polygon": [_POLYGON]}],
            }
        ],
    }


def person(number: int, kinds: Sequence[str]) -> Document:
    """Return recipient ``number`` with one address of each kind, inside the area of :func:`alert`."""
    addresses = {
        "sms": {"kind": "sms", "value": f"+7701{number:07}"},
        "email": {"kind": "email", "value": f"p{number}@village.example"},
    }
    return {
        "id": f"person-{number}",
        "name": f"Person {number}",
        "languages": ["en"],
        "addresses": [addresses[kind] for kind in kinds],
        "location": {"lat": 43.25, "lon": 76.95},
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: ``took`` in seconds."""

    status: int
    body: Document
    took: float

    @property
    def redis(self) -> str:
        """What the answer says of Redis."""
        return str(self.body["durability"]["redis"])


class Agency:
    """One session with the admin key; the relay may be started again in between."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def ask(
        self, method: str, path: str, *, body: bytes | None = None, media: str = "application/json"
    ) -> Answer:
        """Send one request and return whatever was answered."""
        headers = {"Authorization": f"Bearer {self._relay.key}", "Accept": "application/json", "Content-Type": media}
        began = monotonic()
        async with self._http.request(method, self._relay.url + path, data=body, headers=headers) as response:
            text = await response.read()
            took = monotonic() - began
        return Answer(response.status, orjson.loads(text) if text else {}, took)

    async def post(self, document: Document) -> Answer:
        """Post an alert."""
        return await self.ask("POST", "/v1/alerts", body=orjson.dumps(document))

    async def posted(self, numbers: Iterable[int]) -> dict[int, str]:
        """Post alerts and return their ids by number."""
        return {number: str((await self.post(alert(number))).body["id"]) for number in numbers}

    async def people(self, count: int, *, kinds: Sequence[str] = ("sms",)) -> None:
        """Import ``count`` recipients."""
        lines = b"".join(orjson.dumps(person(n, kinds)) + b"\n" for n in range(count))

        async def imported() -> bool:
            answer = await self.ask("POST", "/v1/recipients/import", body=lines, media="application/x-ndjson")
            assert answer.status in (200, 503), answer.body
            return answer.status == 200 and answer.body["imported"] + answer.body["updated"] == count

        await until(imported, within=30, why="the directory is imported")

    async def get(self, path: str) -> Document | None:
        """Return a document, or None while the relay cannot answer (503)."""
        answer = await self.ask("GET", path)
        assert answer.status in (200, 503), answer.body
        return answer.body if answer.status == 200 and not answer.body.get("stale") else None

    async def status(self) -> Document:
        """Return ``GET /status``."""
        found = await self.get("/status")
        assert found is not None
        return found

    async def completed(self, alert_id: str, *, within: float) -> Document:
        """Return an alert once it is completed."""
        seen: Document = {}

        async def done() -> Document | None:
            nonlocal seen
            seen = await self.get(f"/v1/alerts/{alert_id}") or seen
            return seen if seen.get("state") == "completed" else None

        try:
            return await until(done, within=within, why=f"{alert_id} is completed")  # type: ignore[no-any-return]
        except AssertionError:
            raise AssertionError(f"not completed within {within} s: {seen}") from None

    async def deliveries(self, alert_id: str) -> list[Document]:
        """Return every delivery of an alert, page by page."""
        rows: list[Document] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await self.ask("GET", f"/v1/alerts/{alert_id}/deliveries?limit=1000&cursor={cursor}")
            assert page.status == 200, page.body
            rows += page.body["deliveries"]
            cursor = page.body["next"]
        return rows


@asynccontextmanager
async def on_duty(relay: Relay, *, people: int, kinds: Sequence[str] = ("sms",)) -> AsyncIterator[Agency]:
    """Start a relay, put so many people into its directory, and yield an agency that speaks to it."""
    await relay.start()
    async with Agency(relay) as agency:
        await agency.people(people, kinds=kinds)
        yield agency
