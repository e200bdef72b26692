"""The provider's side of an adapter's contract test: what it takes, and the trouble it can be in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import StrEnum

from relay.directory.egress import Guard


class Trouble(StrEnum):
    """What a provider can be made to do."""

    DOWN = "be unreachable"
    REFUSES = "refuse a message for good"
    HANGS = "take a message and never answer"
    RESETS = "take a message and cut the connection"
    SLOW_DOWN = "ask to slow down"


class Provider(ABC):
    """The provider's side of one test: real and on loopback, or a provider's own test system.

    ``settings`` are the channel's settings, with time-outs of about a second; ``guard`` the egress guard that the
    adapter is given; ``secret`` the signing secret of webhook recipients; ``private`` further words that must never
    be logged, such as a password; ``loggers`` the names of loggers that are the provider's own.
    """

    settings: Mapping[str, object]
    guard: Guard = Guard()
    secret: str = ""
    private: Sequence[str] = ()
    loggers: Sequence[str] = ()

    @abstractmethod
    def address(self, number: int) -> str:
        """Return the ``number``-th address, all different; the provider takes messages for each."""

    @abstractmethod
    def texts(self) -> Sequence[str]:
        """Return the texts that arrived, in order of arrival."""

    async def make(self, trouble: Trouble, *, only: str = "") -> None:
        """Get into ``trouble`` from now on, for the address ``only`` when it is given.

        Raises:
            NotImplementedError: this provider cannot be made to; the test is skipped.
        """
        raise NotImplementedError
