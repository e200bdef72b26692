"""An alert whose plan ends every worker that makes it: it is held for a person, and the others are sent."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.agency_side import Agency, alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import lines
from tests.acceptance.relay_side import ROOT, until

#: What Python runs at the start of every process of the relay: a worker that plans alert 13 is gone, as by a fault in
#: a library or by the system, which has no memory left.
POISON = """
import os, signal, sys
if "worker" in sys.orig_argv:
    from relay.fanout.planner import Planner
    plan = Planner._alert
    async def dies_of_13(self, stored, alert):
        if alert.identifier.endswith("13"):
            os.kill(os.getpid(), signal.SIGKILL)
        return await plan(self, stored, alert)
    Planner._alert = dies_of_13
"""


@pytest.mark.timeout(120)
async def test_poison_is_held_and_the_others_are_sent(
    make_relay: MakeRelay,
    console: Callable[..., dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Five workers died of it; the next one holds it, says why, and goes on with what came after."""
    (tmp_path / "poison").mkdir()
    (tmp_path / "poison" / "sitecustomize.py").write_text(POISON)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'poison'}{os.pathsep}{ROOT}")
    relay = make_relay(channels={"sms": console("sms")})
    async with on_duty(relay, people=1) as agency:
        poison = (await agency.post(alert(13))).body["id"]
        held = await until(lambda: _held(agency, poison), within=90, why="the alert is held")
        after = (await agency.post(alert(14))).body["id"]
        await agency.completed(after, within=30)

    assert held["reason"] == "plan_failed"
    assert relay.log.count('"child_died"') == 5
    assert relay.log.count('"plan_spoiled"') == 1
    assert lines(tmp_path / "sms.sent") == 1


async def _held(agency: Agency, alert_id: str) -> dict[str, Any] | None:
    body = await agency.get(f"/v1/alerts/{alert_id}")
    return body if body is not None and body["state"] == "held" else None
