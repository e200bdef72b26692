"""The API process: where its server will be, and which socket it takes over; it runs in tests/acceptance."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from relay.api_process import _inherited, server_url
from relay.clock import SystemClock
from relay.store.embedded import EmbeddedServer


def test_private_server_has_an_address_before_it_runs(tmp_path: Path) -> None:
    """The API connects to where it will be."""
    server = EmbeddedServer(tmp_path, clock=SystemClock())

    assert server_url(server) == server.url != ""
    assert server_url(None) == ""


def test_an_inherited_socket_is_used_by_its_own_process_only() -> None:
    """Nothing is passed to a process that was not started by systemd."""
    assert _inherited() is None


def test_the_server_need_not_wait_for_the_imports() -> None:
    """What launches the private server is imported without the API: its files load while that is imported."""
    asked = "import sys, relay.app; print([m for m in ('aiohttp', 'numpy', 'redis', 'relay.api') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


def test_what_no_alert_needs_is_not_imported_by_a_start() -> None:
    """Numbering plans are read when the first recipient is stored, not before the first alert is accepted or sent."""
    asked = "import sys, relay.app, relay.api_process, relay.work; print('phonenumbers' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "False"
