"""Stopping everything, and going on."""

from __future__ import annotations

import pytest

from relay.store.switches import STOP
from tests.integration.api.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_stop_and_resume(house: House) -> None:
    """Stop holds on this node and for all, and shows as an alarm until it is taken back."""
    stopped = await house.ask("POST", "/v1/stop", who="duty", body={"reason": "wrong template"})
    status = (await house.ask("GET", "/status", who="duty")).json
    switches = await house.services.switches.read()
    resumed = await house.ask("POST", "/v1/resume", who="duty")
    after = (await house.ask("GET", "/status", who="duty")).json

    assert stopped.json == {"stopped": True}
    assert status["stopped"]["reason"] == "wrong template"
    assert any(alarm["code"] == "stopped" for alarm in status["alarms"])
    assert STOP in switches
    assert house.services.controls.stopped is False
    assert resumed.json == {"stopped": False}
    assert after["stopped"] is None
