"""Headers that every answer carries."""

from __future__ import annotations

import pytest

from tests.integration.api.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("path", ["/healthz", "/v1/alerts", "/nowhere", "/a/x", "/status"])
async def test_protective_headers(house: House, path: str) -> None:
    """Every answer forbids guessing its type, framing it and keeping it, and names no software."""
    got = await house.ask("GET", path, who="")

    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in got.headers["Content-Security-Policy"]
    assert got.headers["Referrer-Policy"] == "no-referrer"
    assert got.headers["Cache-Control"] == "no-store"
    assert "charset=utf-8" in got.headers["Content-Type"]
    assert "Server" not in got.headers


async def test_no_foreign_page_may_ask(house: House) -> None:
    """A preflight from elsewhere gets no permission (BI-236)."""
    got = await house.ask(
        "OPTIONS", "/v1/alerts", who="", Origin="https://evil.example", Access_Control_Request_Method="POST"
    )

    assert got.status == 405
    assert not any(name.lower().startswith("access-control") for name in got.headers)
