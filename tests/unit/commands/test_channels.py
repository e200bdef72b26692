"""``relay channels``: how they are doing, their switches, and examples that really are configurations."""

import json

import pytest

from relay.commands.channels import channels_sheet, example_of
from relay.errors import ConfigError
from tests.unit.commands.conftest import Run
from tests.unit.commands.stub_relay import StubRelay

ROW = {"name": "sms", "kind": "sms", "state": "ok", "per_second": 4.5, "error": None, "adapter": "smpp", "rate": 50.0}


def test_list_shows_state_and_rate(relay: Run, stub: StubRelay) -> None:
    """One row a channel."""
    stub.on("GET /v1/channels", {"channels": [{**ROW, "lanes": ["live"], "match": ["+7"]}], "next": None})

    assert relay("channels", "list").out.splitlines()[1].split() == [
        "sms",
        "sms",
        "smpp",
        "ok",
        "4.5/s",
        "50/s",
        "live",
        "+7",
        "-",
    ]
    assert json.loads(relay("channels", "list", "--json").out)["channels"][0]["name"] == "sms"


def test_paused_channel_says_why() -> None:
    """The reason that somebody gave stands beside the state."""
    row = {**ROW, "state": "paused", "paused": {"by": "k", "reason": "wrong sender", "at": 1}}

    assert channels_sheet([row]).rows[0][3] == "paused: wrong sender"


@pytest.mark.parametrize("word", ["pause", "resume"])
def test_switches_carry_the_reason(relay: Run, stub: StubRelay, word: str) -> None:
    """Who looks later finds why."""
    stub.on(f"POST /v1/channels/sms/{word}", {"name": "sms", "state": word})
    ran = relay("channels", word, "sms", "--reason", "wrong sender")

    assert stub.asked[0].document == {"reason": "wrong sender"}
    assert ran.out == f"{word}d: sms\n"
    assert json.loads(relay("channels", word, "sms", "--json").out)["name"] == "sms"


def test_example_is_printed_and_nothing_is_asked(cli: Run) -> None:
    """The command needs no relay and changes nothing."""
    plain, told = cli("channels", "add", "smpp", "--example"), cli("channels", "add", "smpp")

    assert plain.code == told.code == 0
    assert plain.out == told.out
    assert plain.err == ""
    assert "relay check" in told.err


def test_unknown_adapter_names_the_known_ones() -> None:
    """A mistyped name is answered with a list."""
    with pytest.raises(ConfigError, match="installed are: console, smpp"):
        example_of("smmp")
