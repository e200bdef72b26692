"""The many ways in which Redis can be away, as one error."""

from __future__ import annotations

import redis.exceptions

from relay.errors import StoreFull, StoreUnavailable

#: What a server says when it is there but cannot serve now: pending, never an error of ours.
_NOT_NOW = (
    "LOADING",
    "MISCONF",
    "OOM",
    "NOREPLICAS",
    "BUSY",
    "READONLY",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "UNBLOCKED",  # a blocking read on a master that became a replica
)

#: The same, where the library has a class for the word and takes the word away; and a slot that wanders about.
_NOT_NOW_CLASSES = (
    redis.exceptions.BusyLoadingError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.MasterDownError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.TryAgainError,
    redis.exceptions.MovedError,
    redis.exceptions.AskError,
)

_FULL = frozenset({"OOM", redis.exceptions.OutOfMemoryError.__name__})

#: The server is not there, did not answer in time, or not in its language (a link that lost bytes): what was asked may
#: or may not have been done.
GONE = (
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.InvalidResponse,
    OSError,
    TimeoutError,
)


class available:  # noqa: N801 -- reads as the words that it stands for
    """Turn every way in which Redis can be away into :class:`StoreUnavailable`, inside an ``async with`` block.

    A class, because a generator costs five times as much, and every question goes through here.
    """

    __slots__ = ()

    async def __aenter__(self) -> None:
        """Begin."""

    async def __aexit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        """Raise another error in place of one that says that Redis is away."""
        if isinstance(error, Exception) and (away := _away(error)) is not None:
            raise away from error


def _away(error: Exception) -> StoreUnavailable | None:
    """Return what an error says about Redis; None when it says something else."""
    if isinstance(error, GONE):
        return StoreUnavailable(f"Redis cannot be reached: {type(error).__name__}")
    if is_closed(error):
        return StoreUnavailable("Redis cannot be reached: the connection was closed")
    word = not_now(error)
    if word in _FULL:
        return StoreFull(f"Redis answers {word}")
    return StoreUnavailable(f"Redis answers {word}") if word else None


def is_closed(error: BaseException) -> bool:
    """Whether an error is uvloop's way to say that the connection was closed before it was written to."""
    return isinstance(error, RuntimeError) and "closed" in str(error)


def not_now(error: BaseException) -> str:
    """Return the word by which a server says that it cannot serve now; empty for any other error."""
    if not isinstance(error, redis.exceptions.ResponseError):
        return ""
    word = _word(error)
    if word in _NOT_NOW:
        return word
    return type(error).__name__ if isinstance(error, _NOT_NOW_CLASSES) else ""


def _word(error: redis.exceptions.ResponseError) -> str:
    """Return the first word of what the server said; the library hides it when a pipe's command failed."""
    said = str(error).rpartition("of pipeline caused error: ")[2]
    return said.lstrip("('\"").partition(" ")[0]
