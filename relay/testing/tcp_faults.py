"""What can go wrong with a TCP connection: the faults of :mod:`relay.testing.proxy`, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """A direction: ``UP`` is from the client to the server."""

    UP = "up"
    DOWN = "down"


BOTH = (Way.UP, Way.DOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Every piece of bytes waits ``seconds``, more or less ``jitter``."""

    seconds: float
    jitter: float = 0.0
    ways: tuple[Way, ...] = BOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """At most so many bytes in a second on each connection."""

    bytes_per_second: int
    ways: tuple[Way, ...] = BOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicer:
    """Bytes arrive in pieces of ``size``, with ``pause`` seconds between them."""

    size: int = 1
    pause: float = 0.0
    ways: tuple[Way, ...] = BOTH


@dataclass(frozen=True, slots=True)
class Down:
    """Nobody listens: open connections are reset, new ones refused."""


@dataclass(frozen=True, slots=True)
class Blackhole:
    """Connections are accepted and everything is taken, nothing passes; all are reset when it heals."""


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """Nothing is read any more, the sockets stay; all are reset when it heals."""


@dataclass(frozen=True, slots=True)
class ResetPeer:
    """Each connection is reset by the first bytes that it sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitData:
    """Each connection ends after so many bytes from the server since the fault began."""

    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """The next piece from the server on each connection begins with ``octets`` that the server never said."""

    octets: bytes


Fault = Latency | Bandwidth | Slicer | Down | Blackhole | HalfOpen | ResetPeer | LimitData | Garbage
