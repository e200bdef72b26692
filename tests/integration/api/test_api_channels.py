"""Channels and switches over HTTP."""

from __future__ import annotations

import pytest

from tests.integration.api.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_configured_channels(house: House) -> None:
    """Channels are listed with what they are, and without the settings of their adapters."""
    got = (await house.ask("GET", "/v1/channels", who="duty")).json
    by_name = {row["name"]: row for row in got["channels"]}

    assert set(by_name) == {"sms-console", "webhook"}
    assert by_name["sms-console"]["kind"] == "sms"
    assert by_name["sms-console"]["lanes"] == ["live", "drill"]
    assert "settings" not in by_name["sms-console"]


async def test_pausing_a_channel(house: House) -> None:
    """A pause holds until the channel is resumed, and says who and why."""
    paused = await house.ask("POST", "/v1/channels/sms-console/pause", who="duty", body={"reason": "costs"})
    listed = (await house.ask("GET", "/v1/channels", who="duty")).json["channels"]
    resumed = await house.ask("POST", "/v1/channels/sms-console/resume", who="duty")
    after = (await house.ask("GET", "/v1/channels", who="duty")).json["channels"]
    unknown = await house.ask("POST", "/v1/channels/nothing/pause", who="duty")

    assert (paused.status, paused.json["state"]) == (200, "paused")
    row = next(row for row in listed if row["name"] == "sms-console")
    assert (row["state"], row["paused"]["reason"]) == ("paused", "costs")
    assert resumed.status == 200
    assert next(row for row in after if row["name"] == "sms-console")["state"] != "paused"
    assert unknown.status == 404
