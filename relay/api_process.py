"""The API process: the node, its listener and its team, put together while the private server loads its files."""

from __future__ import annotations

import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from relay.api.server import Listener
from relay.api_node import ApiNode
from relay.clock import Clock
from relay.deployment import Announcer, adopt
from relay.duty_room import DutyRoom
from relay.settings import Settings, listening_fd
from relay.store.connection import Connection
from relay.store.deployment import DeploymentStore
from relay.store.embedded import EmbeddedServer
from relay.supervise import Part
from relay.team import Team


class ApiProcess:
    """Everything of one API process; ``stack`` closes what it opens.  ``server`` is the private one, begun already."""

    def __init__(
        self, settings: Settings, data_dir: Path, server: EmbeddedServer | None, *, clock: Clock, stack: AsyncExitStack
    ) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._server = server
        self._clock = clock
        self._stack = stack
        self._connection = Connection(settings.redis.url or server_url(server), timeout=settings.redis.timeout)
        stack.push_async_callback(self._connection.close)
        self._deployment = DeploymentStore(self._connection)

    async def build(self, team: Team) -> tuple[dict[str, Part], Announcer]:
        """Read the data directory and listen; return the parts to run, and what tells others of a new configuration.

        Raises:
            ConfigError: the configuration cannot be used here.
        """
        settings = self._settings
        if self._server is None:
            await adopt(self._deployment, settings, self._data_dir)
        node = await ApiNode.build(settings, self._connection, self._data_dir, clock=self._clock)
        self._stack.push_async_callback(node.journal.close)
        room = DutyRoom(node.services)
        listener = Listener(node.services, console=room.pages, inherited=_inherited())
        announcer = Announcer(self._deployment, settings, node.services.secret)
        parts: dict[str, Part] = {**node.parts, "api": listener, "announcer": announcer, "workers": team}
        if self._server is not None:
            parts["redis"] = self._server
        await node.load()
        await listener.start()
        _say_started(settings, node, listener, room)
        return parts, announcer


def server_url(server: EmbeddedServer | None) -> str:
    """Return the URL of the private server; it need not run yet."""
    return server.url if server is not None else ""


def _inherited() -> socket.socket | None:
    fd = listening_fd()
    return None if fd is None else socket.socket(fileno=fd)


def _say_started(settings: Settings, node: ApiNode, listener: Listener, room: DutyRoom) -> None:
    """Tell the person at the terminal where things are; the log goes elsewhere."""
    lines = [
        f"relay      {listener.url}",
        f"data       {settings.data_dir.absolute()}",
        f"admin key  {node.services.register.admin_path}",
        f"sign in    {listener.url}{room.sign_in_path()}   (valid once, for 15 minutes)",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
