"""``relay check`` as a whole."""

import json
from pathlib import Path

from tests.unit.commands.conftest import Run


def test_defaults_are_fit(cli: Run) -> None:
    """What comes with the relay has no error; each adapter says where it came from."""
    ran = cli("check")

    assert ran.code == 0
    assert "from chapar-relay" in ran.out


def test_broken_configuration_is_1_and_adapters_are_shown(cli: Run, tmp_path: Path) -> None:
    """The sentence names the file and the right name of the setting."""
    (tmp_path / "r.toml").write_text("[api]\nprot = 1\n")
    ran = cli("check", "--config", str(tmp_path / "r.toml"))

    assert ran.code == 1
    assert "Did you mean port?" in ran.out
    assert "adapter smpp" in ran.out


def test_machines_get_an_object(cli: Run, tmp_path: Path) -> None:
    """--json has the same items."""
    (tmp_path / "r.toml").write_text('[channels.x]\nadapter = "nope"\n')
    ran = cli("check", "--json", "--config", str(tmp_path / "r.toml"))

    assert ran.code == 1
    assert any(item["level"] == "error" and item["subject"] == "channel x" for item in json.loads(ran.out)["items"])
