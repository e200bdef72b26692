"""The command ``relay`` as a whole: help, exit codes, and how failures are said."""

import subprocess
import sys
from pathlib import Path

import pytest

from relay.cli import main


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELAY_CONFIG", raising=False)


def test_help_says_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever writes a script finds the exit codes in the help."""
    code = main(["--help"])

    said = capsys.readouterr().out
    assert code == 0
    assert "0 done, 1 refused or failed, 2 wrong usage, 3 no relay answers" in said


@pytest.mark.parametrize(
    "word",
    [
        "serve",
        "demo",
        "send",
        "validate",
        "status",
        "alerts",
        "recipients",
        "keys",
        "channels",
        "stop",
        "resume",
        "check",
        "doctor",
        "version",
    ],
)
def test_every_command_has_help(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command of the issue exists and says what it does, without boxes that break grep."""
    code = main([word, "--help"])

    said = capsys.readouterr().out
    assert code == 0
    assert f"Usage: relay {word}" in said
    assert "│" not in said
    assert "\x1b" not in said


def test_help_is_quick_because_it_imports_little() -> None:
    """``relay --help`` loads neither the HTTP client nor the engine nor the models of the settings."""
    code = (
        "import sys; from relay.cli import main; main(['--help']);"
        "sys.exit(bool({'aiohttp', 'pydantic', 'redis', 'numpy', 'shapely'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr


def test_module_is_the_command() -> None:
    """``python -m relay`` is what workers are started with."""
    done = subprocess.run([sys.executable, "-m", "relay", "version"], capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert done.stdout.startswith("chapar-relay ")


@pytest.mark.parametrize(
    "words", [["nonsense"], ["send"], ["status", "--nonsense"], ["status", "--lang", "fr"], ["status", "--url", "x"]]
)
def test_wrong_usage_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped command is told apart from one that failed."""
    code = main(words)

    assert code == 2
    assert "Error" in capsys.readouterr().err


def test_no_relay_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing listens, the sentence says where we looked and what to do."""
    code = main(["status", "--url", "http://127.0.0.1:1"])

    assert code == 3
    assert capsys.readouterr().err == "relay: no relay answers at http://127.0.0.1:1; start it with ./run serve\n"


def test_bad_configuration_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped setting is named with the right one, and there is no traceback."""
    config = tmp_path / "relay.toml"
    config.write_text("[api]\nprot = 8080\n")
    code = main(["serve", "--config", str(config)])

    said = capsys.readouterr().err
    assert code == 1
    assert "Did you mean port?" in said
    assert len(said.splitlines()) == 1


def test_serve_on_a_directory_in_use_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second relay on the same data is refused, and the first one is named."""
    from relay.datadir import RoleLock, prepare

    config = tmp_path / "relay.toml"
    config.write_text(f'data_dir = "{tmp_path / "var"}"\n[api]\nport = 0\n')
    with RoleLock(prepare(tmp_path / "var"), "api"):
        code = main(["--config", str(config), "serve"])

    said = capsys.readouterr()
    assert code == 1
    assert "another relay" in said.err.splitlines()[-1]
    assert "Traceback" not in said.err
