"""The adapter in docs/adapters.md is what it says: it passes the contract, and an installed relay finds it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VERSION = "Metadata-Version: 2.1\nName: chapar-gateway\nVersion: 1.2\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The page's files in a folder, as if its reader had saved and installed them."""
    text = (ROOT / "docs/adapters.md").read_text(encoding="utf-8")
    adapter, test, entry_points, channel = (match[2] for match in _BLOCK.finditer(text))
    installed = tmp_path / "chapar_gateway-1.2.dist-info"
    installed.mkdir()
    named = entry_points.replace("project.entry-points.", "").replace('"', "")
    for path, words in (
        (tmp_path / "chapar_gateway.py", adapter),
        (tmp_path / "test_gateway.py", test),
        (tmp_path / "relay.toml", channel),
        (installed / "entry_points.txt", named),
        (installed / "METADATA", _VERSION),
    ):
        path.write_text(words, encoding="utf-8")
    return tmp_path


def run(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python in the folder of ``package``, with the relay importable as if it were installed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("RELAY_", "PYTEST_"))}
    env["PYTHONPATH"] = f"{package}{os.pathsep}{ROOT}"
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=package, env=env, capture_output=True, text=True, timeout=90, check=False
    )


def test_documented_adapter_keeps_the_contract(package: Path) -> None:
    """Who copies the two files has an adapter that passes every test of the kit, none of them skipped."""
    done = run(package, "pytest", "-q", "-o", "asyncio_default_fixture_loop_scope=function", "test_gateway.py")

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert re.search(r"^\d+ passed in", done.stdout, re.MULTILINE), done.stdout


def test_documented_adapter_is_found(package: Path) -> None:
    """``relay check`` names it with its package, and takes the channel of the page."""
    done = run(package, "relay", "--config", "relay.toml", "check")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "sms, from chapar-gateway 1.2 (chapar_gateway:Gateway)" in done.stdout
    assert re.search(r"^ok +channel sms-national +sms by gateway, live and drill", done.stdout, re.MULTILINE), (
        done.stdout
    )
