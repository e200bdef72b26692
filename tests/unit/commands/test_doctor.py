"""``relay doctor`` as a whole, without a running relay."""

import json
from pathlib import Path

import pytest

from relay.clock import SystemClock
from relay.commands.checklist import Level
from relay.commands.doctor import look
from relay.commands.options import Options
from tests.unit.commands.conftest import Run
from tests.unit.commands.stub_relay import StubRelay


def config(folder: Path, text: str = "") -> Path:
    path = folder / "relay.toml"
    path.write_text(f'data_dir = "{folder / "data"}"\n{text}')
    return path


def test_nothing_is_started(cli: Run, tmp_path: Path) -> None:
    """Before the first start the doctor looks, says so, and makes nothing."""
    ran = cli("doctor", "--config", str(config(tmp_path, "[api]\nport = 1\n")))

    assert ran.code == 0
    assert "no relay answers at http://127.0.0.1:1; nothing was started for this" in ran.out
    assert "the private server does not run" in ran.out
    assert not (tmp_path / "data").exists()


def test_redis_that_is_away_is_1(cli: Run, tmp_path: Path) -> None:
    """A configured server that does not answer is an error, and its password stays out."""
    text = '[redis]\nurl = "redis://user:hunter2@127.0.0.1:1"\n[api]\nport = 1\n'
    ran = cli("doctor", "--json", "--config", str(config(tmp_path, text)))

    assert ran.code == 1
    assert any(item["subject"] == "redis" and item["level"] == "error" for item in json.loads(ran.out)["items"])
    assert "hunter2" not in ran.out


def test_wrong_server_is_told(cli: Run, tmp_path: Path) -> None:
    """A server binary that is none is found before the start."""
    ran = cli("doctor", "--config", str(config(tmp_path, '[redis]\nserver = "no-such-server"\n[api]\nport = 1\n')))

    assert ran.code == 1
    assert "no-such-server" in ran.out


def test_broken_configuration_does_not_hide_the_machine(cli: Run, tmp_path: Path) -> None:
    """What can be looked at is looked at."""
    ran = cli("doctor", "--config", str(config(tmp_path, "nonsense = 1\n")))

    assert ran.code == 1
    assert "python" in ran.out
    assert "unknown setting nonsense" in ran.out


@pytest.mark.parametrize(
    ("status", "answer", "level"),
    [
        (200, {"ready": True, "redis": "ok"}, Level.OK),
        (200, {"ready": True, "redis": "unavailable"}, Level.WARNING),
        (503, {"ready": False, "title": "x"}, Level.ERROR),
        (200, [], Level.ERROR),
    ],
)
def test_running_relay_is_asked(stub: StubRelay, tmp_path: Path, status: int, answer: object, level: Level) -> None:
    """Whether it can accept, and whether anything is being sent."""
    stub.on("GET /readyz", answer, status=status)
    items = look(Options(config=config(tmp_path), url=stub.url), clock=SystemClock())

    assert next(item.level for item in items if item.subject == "running") is level
