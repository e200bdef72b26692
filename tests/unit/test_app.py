"""The composition root: roles, children, and one clear sentence for what ends it; it runs in tests/acceptance."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import cast

import pytest

from relay.app import ROLES, _first, _renew_at_hup, _worker, serve
from relay.clock import SystemClock
from relay.datadir import RoleLock, prepare
from relay.errors import ConfigError, DataDirInUse
from relay.settings import Settings, load
from relay.team import Team


def test_first_error_of_a_tree() -> None:
    """A group within a group says its first sentence."""
    deep = ExceptionGroup("tasks", [ExceptionGroup("parts", [ValueError("wrong"), KeyError("x")])])

    assert str(_first(deep)) == "wrong"
    assert str(_first(ValueError("plain"))) == "plain"


def test_worker_has_the_same_configuration(tmp_path: Path) -> None:
    """A child reads the file of its parent, wherever it is started."""
    plain = _worker(Settings(), 2, SystemClock())
    settings = Settings()
    settings._source = tmp_path / "relay.toml"

    assert (plain.name, plain._command[-3:]) == ("worker 2", ("serve", "--role", "worker"))
    assert "--config" not in plain._command
    assert str(tmp_path / "relay.toml") in _worker(settings, 1, SystemClock())._command


def test_roles_are_those_of_the_command_line() -> None:
    """All in one, or each alone."""
    assert ROLES == ("all", "api", "worker")


def test_second_relay_on_a_directory_says_so(tmp_path: Path) -> None:
    """Two API processes never share a journal."""
    data_dir = prepare(tmp_path)
    settings = Settings.model_validate({"data_dir": str(data_dir), "api": {"port": 0}})
    with RoleLock(data_dir, "api"), pytest.raises(DataDirInUse):
        serve(settings, role="api")


def test_wrong_channel_says_so(tmp_path: Path) -> None:
    """The relay does not start half."""
    settings = Settings.model_validate({"data_dir": str(tmp_path), "channels": {"sms": {"adapter": "pigeon"}}})
    with pytest.raises(ConfigError, match="pigeon"):
        serve(settings, role="api")


class Workers:
    """A team that counts how often it was asked to be replaced."""

    def __init__(self) -> None:
        self.asked = 0

    def renew(self) -> None:
        self.asked += 1


async def test_sighup_replaces_workers_only_with_a_good_configuration(tmp_path: Path) -> None:
    """A mistake in the file leaves everything as it is; once it is corrected, the new channels are told and used."""
    file = tmp_path / "relay.toml"
    file.write_text(f'data_dir = "{tmp_path}"\n')
    workers, told = Workers(), list[Settings]()
    _renew_at_hup(load(file, {}), cast("Team", workers), told.append)
    seen = []
    for text in (
        '[channels.sms]\nadapter = "pigeon"\n',
        "[",
        '[channels.sms]\nadapter = "console"\nsettings = { kind = "sms" }\n',
    ):
        file.write_text(text)
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.05)
        seen.append(workers.asked)
    asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)

    assert seen == [0, 0, 1]
    assert [set(settings.channels) for settings in told] == [{"webhook", "sms"}]
