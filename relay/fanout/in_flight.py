"""How many deliveries are under way at one provider: a place each, given back as soon as its outcome is known."""

from __future__ import annotations

import asyncio
from collections import deque

from relay.adapter import Batch


class InFlight:
    """Room for ``most`` deliveries; batches wait for theirs in line."""

    def __init__(self, most: int) -> None:
        self._most = max(most, 1)
        self._free = self._most
        self._line: deque[tuple[asyncio.Future[None], int]] = deque()

    async def enter(self, count: int) -> Places:
        """Wait until ``count`` deliveries have room (a batch larger than all there is, until it is alone)."""
        wanted = min(count, self._most)
        if self._line or wanted > self._free:
            await self._wait(wanted)
        else:
            self._free -= wanted
        return Places(self, wanted)

    def give(self, count: int) -> None:
        """Take ``count`` places back and let in whoever is next in line."""
        self._free += count
        while self._line:
            turn, wanted = self._line[0]
            if not turn.done() and wanted > self._free:
                return
            self._line.popleft()
            if not turn.done():
                self._free -= wanted
                turn.set_result(None)

    async def _wait(self, wanted: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._line.append((turn, wanted))
        try:
            await turn
        except asyncio.CancelledError:
            # Given and cancelled in the same turn of the loop: the places go on to the next.  Not given: whoever stood
            # behind may fit in now.
            self.give(wanted if turn.done() and not turn.cancelled() else 0)
            raise


class Places:
    """The places of one batch."""

    __slots__ = ("_left", "_room")

    def __init__(self, room: InFlight, count: int) -> None:
        self._room = room
        self._left = count

    def free_one(self) -> None:
        """One of the batch has its outcome."""
        if self._left:
            self._left -= 1
            self._room.give(1)

    def free_all(self) -> None:
        """The batch is over; harmless when it was before."""
        left, self._left = self._left, 0
        if left:
            self._room.give(left)


def hindrances(batch: Batch) -> list[str]:
    """Return why each item may not leave, empty where it may; items of one chunk share one answer."""
    known = {hindrance: hindrance() for hindrance in {item.hindrance for item in batch}}
    return [known[item.hindrance] for item in batch]
