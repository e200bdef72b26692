"""A real relay for each test, ended without a trace however the test ends; its log is shown when the test failed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.operators_server import Server
from tests.acceptance.relay_side import Relay

MakeRelay = Callable[..., Relay]


@pytest.fixture
async def make_relay(tmp_path: Path) -> AsyncIterator[MakeRelay]:
    """Return a function that makes relays below ``tmp_path``; whatever of them lives at the end is killed."""
    made: list[Relay] = []

    def make(name: str = "relay", **sections: Any) -> Relay:
        folder = tmp_path / name
        folder.mkdir()
        relay = Relay(folder, **sections)
        made.append(relay)
        return relay

    yield make
    for relay in made:
        await relay.kill_everything()
        # Shown by pytest only for a test that failed.
        print(f"{relay.folder}: the last of its log\n{relay.log[-6000:]}")


@pytest.fixture
def console(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that makes the table of a console channel writing to ``<tmp_path>/<kind>.sent``."""

    def make(kind: str = "sms", *, channel: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
        given = {"kind": kind, "path": tmp_path / f"{kind}.sent", "verdict": "delivered", **settings}
        return {"adapter": "console", "settings": given, **(channel or {})}

    return make


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A server that is not the relay's; it runs."""
    made = Server(tmp_path)
    await made.start()
    yield made
    made.kill()
