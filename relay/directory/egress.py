"""The guard that decides which addresses a recipient's URL may lead to (design §16, reference/security.md §5.4).

A URL is judged three times: when it is registered (no look-up), when its name is resolved (one blocked address blocks
the name) and when the socket is made.  Only the last closes the gap of a name that changes its address in between,
so it runs for allow-listed targets too.
"""

from __future__ import annotations

import re
import socket
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from yarl import URL

from relay.directory.networks import Address, Network, is_local, is_nameable, is_public, parse_address
from relay.errors import BlockedTarget, ConfigError, InvalidInput

_MAX_URL = 2048
_HTTPS = 443
_MAX_PASSED = 4096
# A URL in which only scheme, host and port can be wrong: what follows them is a plain path.
_PLAIN = re.compile(r"(https?://[a-z0-9.:-]+)/[A-Za-z0-9_~=&./-]*(?:\?[A-Za-z0-9_~?=&./-]*)?")
_PORT = re.compile(r":([0-9]+)$")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa")
_LOCALHOST = tuple(parse_address(text) for text in ("127.0.0.1", "::1"))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One ``host:port`` or ``CIDR:port``: ``network`` for addresses, else ``name``."""

    name: str
    network: Network | None
    port: int


class Guard:
    """Implements :class:`relay.adapter.EgressGuard` and :class:`relay.adapter.ChecksNames`.

    ``allow`` (``egress.allow``) holds exact targets that may be private and may be spoken to in plain http;
    ``own`` holds the relay's own listening addresses (``0.0.0.0:port`` and ``[::]:port`` mean loopback as well) and
    Redis endpoints, which are refused whatever ``allow`` says.  The machine's own public addresses are refused too.
    A name in ``allow`` permits the addresses that it resolved to last, as told by :meth:`check_addresses`; a client
    that only uses :meth:`socket_factory` reaches public addresses, ``localhost`` and spelled-out addresses only.

    Raises:
        ConfigError: an entry is not ``host:port`` or ``CIDR:port``.
    """

    def __init__(self, allow: Sequence[str] = (), own: Sequence[str] = ()) -> None:
        self._allow = tuple(_entry(text) for text in allow)
        self._own = tuple(entry for text in own for entry in _listening(_entry(text)))
        self._resolved: dict[tuple[str, int], frozenset[Address]] = {}  # bounded by the names in ``allow``
        self._passed: set[str] = set()  # schemes and authorities that were judged before: every message asks again

    def check_url(self, url: str) -> None:
        """Refuse a URL that may not be registered or posted to; looks nothing up.

        Raises:
            InvalidInput: 422, slug ``bad-uri`` (not an acceptable URL) or ``blocked-target`` (not an acceptable host).
        """
        plain = _PLAIN.fullmatch(url) if len(url) <= _MAX_URL else None
        if plain is not None and plain[1] in self._passed:
            return
        self._check(_parse(url))
        if plain is not None:
            if len(self._passed) >= _MAX_PASSED:
                self._passed.clear()
            self._passed.add(plain[1])

    def _check(self, parsed: URL) -> None:
        host, port = parsed.raw_host or "", parsed.port or 0
        address = _literal(host)
        if address is not None:
            allowed = self._permits(address, port)
            blocked = self._is_own(address, port) or not (allowed or is_public(address))
        else:
            allowed = self._permits_name(host, port)
            blocked = self._is_own_name(host, port) or not (allowed or _is_public_name(host))
            # A private address behind a public name is a matter of the connection; its port must at least be known.
            allowed = allowed or (port != _HTTPS and any(e.network is not None and e.port == port for e in self._allow))
        if blocked:
            raise _blocked(f"the relay does not send to {host}; an operator can add {host}:{port} to egress.allow")
        if not allowed:
            _require_https(parsed, port)

    def check_addresses(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Refuse a name when any address it resolved to is blocked; remember those of an allow-listed name.

        Raises:
            BlockedTarget: the whole name is blocked.
        """
        found = [parse_address(text) for text in addresses]
        if any(entry.name == host and entry.port == port for entry in self._allow):
            self._resolved[host, port] = frozenset(address for address in found if is_nameable(address))
        bad = [address for address in found if not self._may_connect(address, port)]
        if bad and (host != "localhost" or len(bad) == len(found)):
            raise BlockedTarget(f"{host} leads to an address that is not public")

    def socket_factory(self, addr_info: tuple[object, ...]) -> socket.socket:
        """Return a socket for the final address of a connection (``aiohttp.TCPConnector(socket_factory=…)``).

        Raises:
            BlockedTarget: the address or the port may not be reached.
        """
        family, kind, proto, _, address = addr_info
        if family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
            raise BlockedTarget("only internet addresses may be reached")
        if not self._may_connect(parse_address(str(address[0])), int(address[1])):
            raise BlockedTarget("the address is not public")
        return socket.socket(family, kind, proto)  # type: ignore[arg-type]

    def _may_connect(self, address: Address, port: int) -> bool:
        if self._is_own(address, port):
            return False
        if self._permits(address, port) or any(
            port == named and address in addresses for (_, named), addresses in self._resolved.items()
        ):
            return True
        return port == _HTTPS and is_public(address) and not is_local(address)

    def _permits(self, address: Address, port: int) -> bool:
        return _names_address(self._allow, address, port)

    def _is_own(self, address: Address, port: int) -> bool:
        return _names_address(self._own, address, port)

    def _permits_name(self, host: str, port: int) -> bool:
        if host == "localhost" and any(self._permits(address, port) for address in _LOCALHOST):
            return True
        return any(entry.name == host and entry.port == port for entry in self._allow)

    def _is_own_name(self, host: str, port: int) -> bool:
        if host == "localhost" and any(self._is_own(address, port) for address in _LOCALHOST):
            return True
        return any(entry.name == host and entry.port == port for entry in self._own)


def _names_address(entries: Iterable[_Entry], address: Address, port: int) -> bool:
    for entry in entries:
        if entry.port != port:
            continue
        if entry.network is not None and address in entry.network:
            return True
        if entry.name == "localhost" and address in _LOCALHOST:
            return True
    return False


def _entry(text: str) -> _Entry:
    host, _, digits = text.strip().rpartition(":")
    name = host.strip("[]").lower()
    if not name or not digits.isascii() or not digits.isdigit() or not 0 < int(digits) <= 65535:
        raise ConfigError(f'egress.allow: "{text}" is not host:port or CIDR:port, for example "10.1.2.0/24:8443"')
    try:
        return _Entry("", ip_network(name), int(digits))
    except ValueError:
        pass
    if ":" in name or "/" in name or _literal_looks_numeric(name) or not _is_host_name(name):
        raise ConfigError(f'egress.allow: "{host}" in "{text}" is neither a host name nor an address or CIDR block')
    return _Entry(name, None, int(digits))


def _listening(entry: _Entry) -> list[_Entry]:
    """Return ``entry``, and loopback when it means listening on every interface."""
    if entry.network is None or not entry.network.network_address.is_unspecified:
        return [entry]
    return [entry, *(_Entry("", ip_network(text), entry.port) for text in ("127.0.0.0/8", "::1/128"))]


def _parse(url: str) -> URL:
    """Return the parsed URL; its raw host is ASCII, lower case and well formed."""
    if len(url) > _MAX_URL or any(unicodedata.category(c) in {"Cc", "Cf", "Zs", "Zl", "Zp", "Cs"} for c in url):
        raise _bad("the URL is too long or holds spaces or invisible characters")
    scheme, mark, rest = url.partition("://")
    if not mark or scheme.lower() not in {"https", "http"} or "\\" in url:
        raise _bad("the URL must begin with https://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    strange = any(not c.isascii() and unicodedata.category(c)[0] not in "LMN" for c in authority)
    if strange or unicodedata.normalize("NFKC", authority) != authority:
        raise _bad("the host holds look-alike characters; write plain letters and digits")
    if not authority or "%" in authority or "@" in authority or "#" in url:
        raise _bad("the URL must name a host and hold no user, password or fragment")
    port = _PORT.search(authority)
    if port is not None and not 0 < int(port[1][:9]) <= 65535:
        raise _blocked("the port is not between 1 and 65535")
    try:
        parsed = URL(url)
    except ValueError as error:
        raise _bad("the URL cannot be read") from error
    host = parsed.raw_host or ""
    if ":" not in host and not _is_host_name(host):
        raise _bad("the host name is not well formed")
    return parsed


def _literal(host: str) -> Address | None:
    """Return the address when ``host`` is one, None when it is a name; refuse addresses in disguise."""
    try:
        return parse_address(host)
    except ValueError as error:
        if _literal_looks_numeric(host):
            raise _blocked("a numeric host must be written as four decimal numbers") from error
        return None


def _literal_looks_numeric(host: str) -> bool:
    """Return whether resolvers may read ``host`` as a number: its last label is decimal, octal or hexadecimal."""
    return ":" in host or _NUMERIC.fullmatch(host.rpartition(".")[2]) is not None


def _is_host_name(host: str) -> bool:
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.split("."))


def _is_public_name(host: str) -> bool:
    return "." in host and not host.endswith(_PRIVATE_SUFFIXES)


def _require_https(url: URL, port: int) -> None:
    if url.scheme != "https":
        raise _bad("the URL must begin with https://; plain http is for targets in egress.allow")
    if port != _HTTPS:
        raise _blocked(f"port {port} is not 443; an operator can add the target to egress.allow")


def _bad(detail: str) -> InvalidInput:
    return InvalidInput("bad-uri", detail)


def _blocked(detail: str) -> InvalidInput:
    return InvalidInput("blocked-target", detail)
