"""The configuration: a mistake is a sentence that helps, never a silent default."""

import tomllib
from pathlib import Path

import pytest

from relay.errors import ConfigError
from relay.settings import Settings, listening_fd, load, overrides

EXAMPLE = Path("config/relay.toml")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "relay.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_example_shows_every_setting_with_its_default() -> None:
    """The example is the default configuration: what an operator reads there is what the program does."""
    shown = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    defaults = Settings().model_dump(mode="json")

    assert load(EXAMPLE, {}).model_dump() == Settings().model_dump()
    assert flat(shown) == flat(defaults)


def flat(table: dict[str, object], before: str = "") -> dict[str, object]:
    """Return all settings by their full names."""
    found: dict[str, object] = {}
    for name, value in table.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{before}{name}.")
        elif isinstance(value, str) and name == "data_dir":
            found[before + name] = str(Path(value))
        else:
            found[before + name] = value
    return found


def test_mistyped_key_is_an_error_with_a_suggestion(tmp_path: Path) -> None:
    """A mistyped safety setting is not ignored: the operator is told which name he meant."""
    with pytest.raises(ConfigError, match=r"engine\.worker\. Did you mean workers"):
        load(written(tmp_path, "[engine]\nworker = 2\n"), {})


def test_mistyped_variable_is_an_error_with_a_suggestion() -> None:
    """The same holds for the environment."""
    with pytest.raises(ConfigError, match=r"RELAY_API__PROT is not a setting.*RELAY_API__PORT"):
        load(EXAMPLE, {"RELAY_API__PROT": "1"})


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A container changes one value without a file of its own; lists are JSON."""
    path = written(tmp_path, "data_dir = '/srv/a'\n[api]\nport = 1\nhost = '0.0.0.0'\n")
    settings = load(
        path, {"RELAY_API__PORT": "2", "RELAY_DATA_DIR": "/srv/b", "RELAY_EGRESS__ALLOW": '["10.0.0.0/8:443"]'}
    )

    assert (settings.api.port, settings.api.host) == (2, "0.0.0.0")
    assert settings.data_dir == Path("/srv/b")
    assert settings.egress.allow == ("10.0.0.0/8:443",)


def test_variable_may_name_the_file(tmp_path: Path) -> None:
    """RELAY_CONFIG names the file when nothing else does."""
    path = written(tmp_path, "[log]\nlevel = 'debug'\n")

    assert load(None, {"RELAY_CONFIG": str(path)}).log.level == "debug"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[api]\nport = 70000\n", r"api\.port"),
        ("[log]\nlevel = 'loud'\n", r"log\.level"),
        ("[channels.sms]\norder = 1\n", r"channels\.sms\.adapter"),
        ("[api\n", "is not TOML"),
        ("[cap]\npoint_radius_km = 0\n", r"cap\.point_radius_km"),
        ("[channels.sms]\nadapter = 'smpp'\nlanes = ['practice']\n", r"channels\.sms\.lanes"),
    ],
)
def test_wrong_values_name_their_place(tmp_path: Path, text: str, sentence: str) -> None:
    """A value that cannot be used is refused with the name of the setting."""
    with pytest.raises(ConfigError, match=sentence):
        load(written(tmp_path, text), {})


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    """A file that was asked for and is not there is not replaced by the defaults."""
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load(tmp_path / "none.toml", {})


def test_webhook_channel_exists_unless_configured(tmp_path: Path) -> None:
    """Webhooks work without a line of configuration, and other channels do not remove them."""
    added = load(written(tmp_path, "[channels.sms]\nadapter = 'smpp'\n"), {})
    own = load(written(tmp_path, "[channels.hooks]\nadapter = 'webhook'\nrate = 5\n"), {})

    assert set(added.channels) == {"webhook", "sms"}
    assert set(own.channels) == {"hooks"}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:8080"),
        ("public_url = 'https://warn.example/'\n", "https://warn.example"),
        ("[api]\nport = 8443\ntls_cert = 'cert.pem'\n", "https://127.0.0.1:8443"),
    ],
)
def test_base_of_links(tmp_path: Path, text: str, url: str) -> None:
    """Links in messages begin with the public address, else with where the relay listens."""
    assert load(written(tmp_path, text), {}).base_url == url


def test_overrides_are_named() -> None:
    """Whoever starts a relay of its own can hide every variable that would change it, the configuration's too."""
    found = overrides({"RELAY_REDIS__URL": "redis://production", "RELAY_CONFIG": "/etc/relay.toml", "PATH": "/bin"})

    assert found == ("RELAY_REDIS__URL", "RELAY_CONFIG")


def test_the_address_of_redis_may_stand_in_a_file(tmp_path: Path) -> None:
    """An address with a password need not stand in the configuration; a child process reads the same file."""
    file = tmp_path / "redis.url"
    file.write_text("rediss://relay:pw@one.example:6390/0\n")
    settings = load(None, {"RELAY_REDIS__URL_FILE": str(file), "RELAY_CONFIG": ""})

    assert settings.redis.url == "rediss://relay:pw@one.example:6390/0"
    with pytest.raises(ConfigError, match=r"redis\.url_file"):
        load(None, {"RELAY_REDIS__URL_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("environ", "fd"),
    [({}, None), ({"LISTEN_PID": "7", "LISTEN_FDS": "1"}, 3), ({"LISTEN_PID": "8", "LISTEN_FDS": "1"}, None)],
)
def test_a_socket_for_another_process_is_not_ours(environ: dict[str, str], fd: int | None) -> None:
    """Only what systemd passed to this very process is used: children have the same environment."""
    assert listening_fd(environ, pid=7) == fd


def test_more_than_one_socket_is_refused() -> None:
    """The relay listens in one place."""
    with pytest.raises(ConfigError, match="one ListenStream"):
        listening_fd({"LISTEN_PID": "7", "LISTEN_FDS": "2"}, pid=7)
