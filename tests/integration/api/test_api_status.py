"""The status as JSON."""

from __future__ import annotations

import pytest

from tests.integration.api.house import House, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_status_needs_a_key(house: House) -> None:
    """The status is for operators."""
    nobody = await house.ask("GET", "/status", who="", Accept="application/json")
    browser = await house.ask("GET", "/status", who="", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    agency = await house.ask("GET", "/status", who="meteo")

    assert (nobody.status, browser.status, agency.status) == (401, 401, 403)


async def test_status(working: House) -> None:
    """The status has every part of design §18, and hears the worker and its channels."""

    async def heard() -> bool:
        status = (await working.ask("GET", "/status", who="duty")).json
        return bool(status["workers"]) and status["channels"][0]["state"] == "ok"

    await eventually(heard)
    status = (await working.ask("GET", "/status", who="duty")).json

    assert {"time", "alarms", "alerts", "classes", "channels", "held", "refused", "redis", "journal", "workers"} <= set(
        status
    )
    assert set(status["classes"]) == {"P0", "P1", "P2", "P3", "P4", "PX"}
    assert status["classes"]["P0"] == {"queued": 0, "oldest_s": 0.0}
    assert {"name", "kind", "state", "per_second", "error"} <= set(status["channels"][0])
    assert status["redis"]["available"] is True
    assert status["journal"]["error"] is None
    assert status["workers"][0]["alive"] is True
    assert status["alarms"] == []
