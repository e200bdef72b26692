"""A relay that answers as the test says, and the command line that talks to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from relay.cli import main
from tests.unit.commands.stub_relay import StubRelay, StubServer


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left: its exit code and its two outputs."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("RELAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stub() -> Iterator[StubRelay]:
    """A server that knows nothing yet."""
    relay = StubRelay()
    server = StubServer(relay)
    yield relay
    server.end()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The admin key where a relay leaves it."""
    path = tmp_path / "var" / "admin.key"
    path.parent.mkdir(mode=0o700)
    path.write_text("chapar_testtest_key\n")
    return path


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def run(*words: str) -> Ran:
        code = main(words)
        said = capfd.readouterr()
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture
def relay(cli: Run, stub: StubRelay, key_file: Path) -> Run:
    """Run the command line against the stub."""
    return lambda *words: cli(*words, "--url", stub.url)
