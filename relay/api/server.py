"""The listener: socket, TLS and bounds around the application; started once, stopped in order."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

import structlog
from aiohttp import http_parser, web

from relay.api.app import Console, build
from relay.api.protocol import KEEP_ALIVE, Connections, Guarded
from relay.api.services import Services
from relay.errors import ConfigError
from relay.settings import Api

log = structlog.get_logger()

_BACKLOG = 1024
_LINE = 8190
_FIRST_WORD = 1.0  # seconds that new connections have to say something when the relay stops


class Listener:
    """Listens for the application of ``services``; a :class:`relay.supervise.Part` once it is started."""

    def __init__(
        self,
        services: Services,
        *,
        console: Console | None = None,
        connections: Connections | None = None,
        inherited: socket.socket | None = None,
    ) -> None:
        """``inherited`` listens already, and goes on while this process is replaced: nobody is refused meanwhile."""
        settings = services.settings.api
        self._settings = settings
        self._inherited = inherited
        self._connections = connections or Connections()
        self._options: dict[str, Any] = {
            "keepalive_timeout": KEEP_ALIVE,
            "auto_decompress": False,  # bodies are inflated by us, bounded
            "access_log": None,
            "lingering_time": 2.0,
            "max_line_size": _LINE,
            "max_field_size": _LINE,
        }
        self._runner = web.AppRunner(build(services, console=console), shutdown_timeout=settings.drain)
        self._listening: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; it differs from the settings' only when that is 0."""
        if self._listening is None:
            raise RuntimeError("the listener is not started")
        return int(self._listening.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Where a person on this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(self._settings.host, self._settings.host)  # noqa: S104
        scheme = "https" if self._settings.tls_cert else "http"
        return f"{scheme}://{host}:{self.port}"

    async def run(self, stopping: asyncio.Event) -> None:
        """Answer until ``stopping``, then finish what is being answered."""
        try:
            await stopping.wait()
        finally:
            await self.stop()

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            ConfigError: the address cannot be listened on, or the certificate cannot be used.
        """
        if "_http_parser" not in http_parser.HttpRequestParser.__module__:
            # The parser in Python lets requests through that smuggle a second one behind a proxy.
            raise ConfigError("aiohttp runs without its C parser; install it from a wheel")
        context = tls_context(self._settings)
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner has no server")
        host, port = self._settings.host, self._settings.port
        place: dict[str, Any] = {"host": host, "port": port, "reuse_address": True}
        if self._inherited is not None:
            place = {"sock": self._inherited}
        try:
            self._listening = await asyncio.get_running_loop().create_server(
                lambda: Guarded(server, self._connections, **self._options), ssl=context, backlog=_BACKLOG, **place
            )
        except (OSError, socket.gaierror) as error:
            await self._runner.cleanup()
            raise ConfigError(
                f"cannot listen on {host}:{port}: {error.strerror or error}."
                " Another relay may be running; else change api.host or api.port"
            ) from error
        log.info("listening", host=host, port=self.port, tls=context is not None)

    async def stop(self) -> None:
        """Take no new connection, finish what is being answered within ``api.drain`` seconds, close the rest."""
        if self._listening is not None:
            self._listening.close()
            await self._connections.heard(within=_FIRST_WORD)
        await self._runner.cleanup()
        log.info("not_listening")


def tls_context(settings: Api) -> ssl.SSLContext | None:
    """Return the TLS context of ``api.tls_cert`` and ``api.tls_key``, None when there is no certificate.

    Raises:
        ConfigError: one is missing, or they cannot be used.
    """
    if not settings.tls_cert and not settings.tls_key:
        return None
    if not settings.tls_cert or not settings.tls_key:
        raise ConfigError("api.tls_cert and api.tls_key belong together: give both, or none")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(Path(settings.tls_cert), Path(settings.tls_key))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"api.tls_cert and api.tls_key cannot be used: {error}") from error
    return context
