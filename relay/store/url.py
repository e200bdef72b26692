"""``redis.url``: which servers, how they are reached, and who is asked for them (design §11)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from relay.errors import ConfigError

_PORTS = {"sentinel": 26379, "cluster": 6379}
_FORMS = "redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return ``host:port``."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUrl:
    """A URL taken apart: ``kind`` is ``single``, ``sentinel`` or ``cluster``.

    ``hosts`` are the Sentinels, or the first nodes of a Cluster to be asked; ``master`` is the Sentinels' name for
    the server.  The rest is how a server of either is spoken to.
    """

    kind: str
    text: str
    hosts: tuple[Address, ...] = ()
    master: str = ""
    tls: bool = False
    username: str | None = None
    password: str | None = None


def parse(text: str) -> StoreUrl:
    """Take ``redis.url`` apart.

    Raises:
        ConfigError: it cannot work; the message says what does.
    """
    scheme, _, rest = text.partition("://")
    family, _, kind = scheme.partition("+")
    if kind not in _PORTS or family not in ("redis", "rediss"):
        if not text.startswith(("redis://", "rediss://", "unix://")):
            raise ConfigError(f"redis.url must start with {_FORMS}")
        return StoreUrl(kind="single", text=text)
    who, _, where = rest.rpartition("@")
    hosts, _, master = where.rstrip("/").partition("/")
    if kind == "sentinel" and not master:
        raise ConfigError("redis.url: write redis+sentinel://host1:26379,host2:26379/name-of-the-master")
    if kind == "cluster" and master:
        raise ConfigError("redis.url: write redis+cluster://host1:6379,host2:6379,host3:6379 and nothing after it")
    username, _, password = who.partition(":")
    return StoreUrl(
        kind=kind,
        text=text,
        hosts=tuple(_address(host, _PORTS[kind]) for host in hosts.split(",")),
        master=unquote(master),
        tls=family == "rediss",
        username=unquote(username) or None,
        password=unquote(password) or None,
    )


def _address(text: str, port: int) -> Address:
    host, colon, number = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, number = text, str(port)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not number.isdecimal() or not 0 < int(number) < 65536:
        raise ConfigError(f"redis.url: {text!r} is no host:port")
    return Address(host, int(number))
