"""Health, figures and the status, for machines."""

from __future__ import annotations

import pytest

from tests.integration.api.house import House, alert_json

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_health_is_one_word(house: House) -> None:
    """``/healthz`` tells a stranger nothing but that somebody is there (BI-240)."""
    got = await house.ask("GET", "/healthz", who="")

    assert (got.status, got.body) == (200, b"ok\n")


async def test_ready(house: House) -> None:
    """``/readyz`` says that alerts can be accepted, and whether Redis is there."""
    got = await house.ask("GET", "/readyz", who="")

    assert got.status == 200
    assert got.json == {"ready": True, "journal": "ok", "redis": "ok"}


async def test_metrics_on_this_machine(house: House) -> None:
    """On loopback the figures are open; what a proxy forwards needs a key."""
    await house.post(alert_json("metric-1"))
    local = await house.ask("GET", "/metrics", who="")
    forwarded = await house.ask("GET", "/metrics", who="", X_Forwarded_For="203.0.113.9")
    agency = await house.ask("GET", "/metrics", who="meteo", X_Forwarded_For="203.0.113.9")
    operator = await house.ask("GET", "/metrics", who="duty", X_Forwarded_For="203.0.113.9")
    text = local.body.decode()

    assert local.status == 200
    assert local.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'chapar_posts_total{outcome="accepted"} 1.0' in text
    assert 'chapar_alerts_total{priority="P1"} 1.0' in text
    assert "chapar_redis_up 1.0" in text
    assert (forwarded.status, agency.status, operator.status) == (401, 403, 200)
