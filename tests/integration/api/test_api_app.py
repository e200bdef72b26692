"""What holds for every answer: headers, unknown addresses, faults of ours."""

from __future__ import annotations

import pytest

from relay.errors import JournalUnavailable
from tests.integration.api.house import House, alert_json

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v2/alerts",
        "/v1/validate",
        "/static/../../etc/passwd",
        "/%2e%2e%2fetc/passwd",
        "/..\\x",
        "/%00",
        "//alerts",
    ],
)
async def test_an_unknown_address_is_404(house: House, path: str) -> None:
    """Whatever is not there is a problem with the word not-found (BI-234)."""
    got = await house.raw(f"GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n".encode())

    assert b" 404 " in got.splitlines()[0]
    assert b"urn:chapar:problem:not-found" in got


async def test_a_fault_of_ours_tells_only_an_id(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unforeseen error is 500 with the id of the request, and nothing of the error."""

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret-detail")

    monkeypatch.setattr(type(house.services.alerts), "page", broken)
    got = await house.ask("GET", "/v1/alerts")

    assert (got.status, got.slug) == (500, "internal-error")
    assert "secret-detail" not in got.body.decode()
    assert got.json["instance"].endswith(got.headers["X-Request-Id"])


async def test_the_journal_is_the_condition(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the journal cannot be written a post is 503 with Retry-After, never a false 202."""

    async def full(*_: object, **__: object) -> None:
        raise JournalUnavailable("no space left")

    monkeypatch.setattr("relay.intake.journal.Journal.append", full)
    got = await house.post(alert_json("full-1"))
    stop = await house.ask("POST", "/v1/resume")

    assert (got.status, got.slug) == (503, "journal-unavailable")
    assert int(got.headers["Retry-After"]) >= 1
    assert stop.status == 503


async def test_the_quota_of_a_key(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that has used its posts gets 429 and is told when to come again."""
    monkeypatch.setattr(type(house.services.quota), "take", lambda *_: 12.3)
    got = await house.post(alert_json("quota-1"))

    assert (got.status, got.slug) == (429, "rate-limited")
    assert got.headers["Retry-After"] == "13"
