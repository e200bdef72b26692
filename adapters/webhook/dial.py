"""Making a connection: the name looked up, its addresses judged, the socket judged again, TLS verified."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, cast

from aiohappyeyeballs import AddrInfoType, SocketFactoryType, start_connection

from adapters.webhook.connection import Connection
from adapters.webhook.request import Origin
from relay.adapter import ChecksNames, EgressGuard

_REMEMBERED: Final = 10.0  # seconds that the addresses of a name are used again
_MOST_NAMES: Final = 1024
_NEXT_ADDRESS: Final = 0.25  # seconds after which the next address is tried beside the first (RFC 8305)


class _Name:
    """The addresses of one name and port until the loop's time ``until``; whoever looks it up holds ``lock``."""

    __slots__ = ("addresses", "lock", "until")

    def __init__(self) -> None:
        self.addresses: Sequence[AddrInfoType] = ()
        self.lock = asyncio.Lock()
        self.until = 0.0


class Dialer:
    """Makes connections; ``patience`` is for name, connection and TLS together, in seconds."""

    def __init__(self, guard: EgressGuard, *, tls: ssl.SSLContext, patience: float) -> None:
        self._guard = guard
        self._tls = tls
        self._patience = patience
        self._names: dict[tuple[str, int], _Name] = {}

    async def dial(self, origin: Origin, make: Callable[[], Connection]) -> Connection:
        """Return a connection to ``origin``.

        Raises:
            OSError: it could not be made: BlockedTarget, socket.gaierror, ssl.SSLError, TimeoutError or another.
        """
        async with asyncio.timeout(self._patience):
            return await self._dial(origin, make)

    async def _dial(self, origin: Origin, make: Callable[[], Connection]) -> Connection:
        loop = asyncio.get_running_loop()
        addresses = _spelled_out(origin) or await self._look_up(origin)
        try:
            sock = await start_connection(
                addresses,
                happy_eyeballs_delay=_NEXT_ADDRESS,
                loop=loop,
                # Whatever the look-up said: the address that is dialled is judged now.
                socket_factory=cast("SocketFactoryType", self._guard.socket_factory),
            )
        except RuntimeError as error:  # uvloop's word for a socket it cannot use
            raise OSError from error
        try:
            context, name = (self._tls, origin.host) if origin.tls else (None, None)
            _, connection = await loop.create_connection(make, sock=sock, ssl=context, server_hostname=name)
        except BaseException:
            sock.close()
            raise
        return connection

    async def _look_up(self, origin: Origin) -> Sequence[AddrInfoType]:
        """Return the judged addresses of a name; looking it up again and again would be slower than posting."""
        loop = asyncio.get_running_loop()
        name = self._name(origin)
        async with name.lock:
            if name.until <= loop.time():
                found = await loop.getaddrinfo(
                    origin.host, origin.port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
                )
                if isinstance(self._guard, ChecksNames):
                    self._guard.check_addresses(origin.host, origin.port, [str(info[4][0]) for info in found])
                name.addresses = cast("Sequence[AddrInfoType]", found)
                name.until = loop.time() + _REMEMBERED
            return name.addresses

    def _name(self, origin: Origin) -> _Name:
        key = (origin.host, origin.port)
        name = self._names.get(key)
        if name is None:
            if len(self._names) >= _MOST_NAMES:
                del self._names[next(iter(self._names))]
            name = self._names[key] = _Name()
        return name


def _spelled_out(origin: Origin) -> Sequence[AddrInfoType]:
    """Return the address that ``origin`` spells out, or nothing if it has a name."""
    try:
        version = ipaddress.ip_address(origin.host).version
    except ValueError:
        return ()
    where: tuple[str, int] | tuple[str, int, int, int]
    family, where = (
        (socket.AF_INET, (origin.host, origin.port))
        if version == 4
        else (socket.AF_INET6, (origin.host, origin.port, 0, 0))
    )
    return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where)]


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that verifies; ``ca_file`` adds a private authority.  Reads files: call it in a thread."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
