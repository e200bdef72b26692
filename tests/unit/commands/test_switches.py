"""``relay stop`` and ``relay resume``."""

import json

import pytest

from tests.unit.commands.conftest import Run
from tests.unit.commands.stub_relay import StubRelay


@pytest.mark.parametrize(("word", "said"), [("stop", "stopped: nothing is sent"), ("resume", "sending goes on")])
def test_switch_is_set_and_said(relay: Run, stub: StubRelay, word: str, said: str) -> None:
    """One word, the reason with it, and what it means."""
    stub.on(f"POST /v1/{word}", {"stopped": word == "stop"})
    ran = relay(word, "--reason", "drill over")

    assert ran.out.startswith(said)
    assert stub.asked[0].document == {"reason": "drill over"}
    assert json.loads(relay(word, "--json").out) == {"stopped": word == "stop"}
    assert stub.asked[1].document == {}
