"""The scripts are files: whole, with their headers, and without keys of their own making."""

import re
from importlib import resources

import pytest

from relay.store import scripts

FOLDER = resources.files("relay.store").joinpath("lua")
NAMES = sorted(path.name.removesuffix(".lua") for path in FOLDER.iterdir() if path.name.endswith(".lua"))
INCLUDED = {"cursor", "merge", "triple"}
WHOLE = [name for name in NAMES if name not in INCLUDED]


@pytest.mark.parametrize("name", WHOLE)
def test_script_says_what_it_takes_and_returns(name: str) -> None:
    """Every script's header names its keys, its arguments and what it returns."""
    head = [line for line in FOLDER.joinpath(f"{name}.lua").read_text().splitlines() if line.startswith("--")]
    text = "\n".join(head)

    assert "KEYS:" in text
    assert "ARGV:" in text
    assert re.search(r"Returns? ", text)


@pytest.mark.parametrize("name", WHOLE)
def test_every_key_is_passed_in(name: str) -> None:
    """No script builds a key: each command's key is one of KEYS, so that a cluster knows all of them before."""
    calls = re.findall(r"redis\.call\('(\w+)', ([^,)]+)", scripts.source(name))
    own = [(command, key) for command, key in calls if not key.startswith(("KEYS[", "key")) and command != "INFO"]

    assert own == []


@pytest.mark.parametrize("name", NAMES)
def test_includes_are_filled_in(name: str) -> None:
    """What a script includes stands in it; the server gets one text."""
    source = scripts.source(name)

    assert "-- include" not in source
    assert ("local function read_cursor" in source) == (
        name in {"cursor", "claim", "settle", "close", "stop", "publish", "renew", "retire", "doubted", "check_again"}
    )


def test_digest_is_the_servers() -> None:
    """The hash is that of the text, as the server computes it."""
    assert re.fullmatch(r"[0-9a-f]{40}", scripts.digest("claim"))
    assert scripts.digest("claim") != scripts.digest("settle")
