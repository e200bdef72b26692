"""The demo's relay as a process: its command, its workers, its link."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from relay.demo.child import (
    RelayProcess,
    began_at,
    children,
    command,
    is_worker,
    last_words,
    parent_of,
    sign_in_link,
)
from relay.demo.configuration import Places
from relay.demo.faults import NoStage

STAT = "42 (relay) (x) S 7 42 42 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 987654 1 1"


def test_command() -> None:
    """The relay is started with the demo's configuration, and without variables that would change it."""
    plain = [sys.executable, "-m", "relay", "--config", "x.toml", "serve"]

    assert command(Path("x.toml")) == plain
    assert command(Path("x.toml"), leave=("RELAY_A", "RELAY_B"))[1:] == [
        *("-u", "RELAY_A", "-u", "RELAY_B"),
        *plain,
    ]


def test_parent() -> None:
    """The parent is found behind a name that holds parentheses; nothing readable means none."""
    assert parent_of(STAT) == 7
    assert parent_of("") == 0
    assert began_at(STAT) == "987654"
    assert began_at("") == ""


def test_children(tmp_path: Path) -> None:
    """Only the children of the process are found, the oldest first, and no other folder."""
    for pid, parent in (("12", 7), ("9", 7), ("10", 8), ("self", 7)):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "stat").write_text(STAT.replace("S 7", f"S {parent}"))

    assert children(7, proc=tmp_path) == [9, 12]
    assert children(7, proc=tmp_path / "none") == []
    assert os.getpid() in children(os.getppid())


def test_worker() -> None:
    """Only a process with the role of a worker is one."""
    assert is_worker(["python", "-m", "relay", "serve", "--role", "worker"])
    assert not is_worker(["valkey-server", "--port", "0"])


def test_sign_in_link() -> None:
    """The link is found in what the relay prints, without what follows it."""
    said = "relay      http://127.0.0.1:18080\nsign in    http://127.0.0.1:18080/status?once=abc-_1   (valid once)\n"

    assert sign_in_link(said) == "http://127.0.0.1:18080/status?once=abc-_1"
    assert sign_in_link("relay      http://127.0.0.1:18080\n") == ""


def test_last_words(tmp_path: Path) -> None:
    """The end of the log is shown, or that there is none."""
    (tmp_path / "log").write_text("x" * 2000 + " the port is taken\n")

    assert last_words(tmp_path / "log").endswith("x the port is taken")
    assert len(last_words(tmp_path / "log")) < 1000
    assert last_words(tmp_path / "none") == "none"


async def test_a_relay_that_never_started(tmp_path: Path) -> None:
    """What does not run is noticed, has no workers, and stops without a fuss."""
    process = RelayProcess(Places(folder=tmp_path, api=1, smsc={}, smtp=1, hooks=1))

    with pytest.raises(NoStage, match="Its last words: none"):
        process.check()
    assert process.workers() == []
    assert await process.stop()
