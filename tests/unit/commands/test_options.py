"""Options that hold for every command, wherever they stand on the line."""

from pathlib import Path

import pytest

from relay.commands.options import Options, globals_first
from relay.errors import ConfigError


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["serve", "--config", "a.toml"], ["--config", "a.toml", "serve"]),
        (["serve", "--config=a.toml", "--role", "api"], ["--config=a.toml", "serve", "--role", "api"]),
        (["--url", "u", "status", "--lang", "ru"], ["--url", "u", "--lang", "ru", "status"]),
        (["status", "--key-file"], ["--key-file", "status"]),
        (["send", "--", "--config"], ["send", "--", "--config"]),
        (["send", "--configuration"], ["send", "--configuration"]),
        ([], []),
    ],
)
def test_global_options_may_stand_anywhere(written: list[str], read: list[str]) -> None:
    """``relay serve --config x`` means what ``relay --config x serve`` means; after ``--`` nothing moves."""
    assert globals_first(written) == read


def test_settings_come_from_the_named_file(tmp_path: Path) -> None:
    """--config names the configuration."""
    config = tmp_path / "relay.toml"
    config.write_text("[api]\nport = 1234\n")

    assert Options(config=config).target().url == "http://127.0.0.1:1234"


def test_missing_configuration_is_an_error(tmp_path: Path) -> None:
    """A named file that is not there is never replaced by defaults."""
    with pytest.raises(ConfigError, match="cannot read"):
        Options(config=tmp_path / "none.toml").settings()
