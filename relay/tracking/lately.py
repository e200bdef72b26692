"""Lately: what was told to Redis in the last seconds beside settles, told again when it may have forgotten it.

Ids of providers, receipts and replies come once.  Redis takes them before they are on disk, or on a replica; nobody but
the worker that heard them can say them again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable

log = structlog.get_logger()

#: As long as settles are remembered (relay/fanout/replay.py).
REMEMBER = 10.0
#: So many words are remembered at most; the oldest are forgotten first.
MOST = 100_000
#: How long words wait for a Redis that answers.
GIVE_UP = 120.0
#: What is not taken is said again after pauses that grow from the first to the second of these, in seconds.
PAUSE, LONGEST_PAUSE = 0.5, 10.0

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class _Note:
    at: float  # monotonic
    again: Callable[[], Awaitable[object]]


class Lately:
    """One worker's words of the last seconds, each as the call that says it again."""

    def __init__(self, *, clock: Clock, most: int = MOST) -> None:
        self._clock = clock
        self._notes: deque[_Note] = deque(maxlen=most)
        self._owed: deque[_Note] = deque(maxlen=most)
        self._due = 0.0
        self._pause = PAUSE
        #: Called before anything is said again.
        self.on_loss: Callable[[], None] = lambda: None

    def note(self, again: Callable[[], Awaitable[object]]) -> None:
        """Remember a word that Redis took; saying it twice must do no harm."""
        now = self._clock.monotonic()
        self._notes.append(_Note(now, again))
        while self._notes[0].at < now - REMEMBER:
            self._notes.popleft()

    def forgotten(self) -> None:
        """Redis may have forgotten the last seconds: owe it what was said in them."""
        now = self._clock.monotonic()
        owed = {id(note) for note in self._owed}
        self._owed += [note for note in self._notes if note.at >= now - REMEMBER and id(note) not in owed]
        self._pause, self._due = PAUSE, now
        self.on_loss()

    @property
    def owing(self) -> bool:
        """Whether anything is to be said again now."""
        return bool(self._owed) and self._clock.monotonic() >= self._due

    async def repeat(self) -> None:
        """Say again what is owed, in the order in which it was said; what Redis does not take waits."""
        owed = list(self._owed)
        log.warning("words_repeated", words=len(owed))
        for start in range(0, len(owed), _AT_ONCE):
            await self._some(owed[start : start + _AT_ONCE])
        self._due = self._clock.monotonic() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    async def _some(self, notes: Sequence[_Note]) -> None:
        horizon = self._clock.monotonic() - GIVE_UP
        taken: set[int] = set()

        async def say(note: _Note) -> None:
            try:
                await note.again()
            except StoreUnavailable:
                if note.at >= horizon:
                    return
                log.warning("word_given_up")
            taken.add(id(note))

        async with asyncio.TaskGroup() as tasks:
            for note in notes:
                tasks.create_task(say(note))
        self._owed = deque((note for note in self._owed if id(note) not in taken), maxlen=self._owed.maxlen)
