"""What is known to wait in which partition: the worst news first, wherever it is.

One script sees one partition.  Each answer tells which classes wait there now, and when to look again; from these a
worker knows where to go next without asking everywhere each time.  Bells say where something new is.
"""

from __future__ import annotations

from dataclasses import dataclass

#: A partition that was away is looked at again after this many seconds, or when its bell rings.
AWAY = 1.0

#: Of the claims made while no P0 waits, one in this many starts with the lowest class (design §8).
FLOOR = 16
_NEVER = 1 << 30

_FLASH = 1


@dataclass(slots=True)
class _View:
    waiting: int = 0  # a bit for each class, P0 the lowest
    look_at: float = 0.0
    served: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """Where to claim next; ``floor`` is what the script is told: one claim in so many starts with the lowest class."""

    place: int
    floor: int


class Lookout:
    """One lane's view of several partitions; times are seconds of a monotonic clock."""

    def __init__(self, count: int) -> None:
        self._views = [_View() for _ in range(count)]
        self._turn = 0

    def next(self, now: float, *, lowest: int) -> Look | None:
        """Return where to claim, None when nothing is known to wait; ``lowest`` is the lowest class allowed (1..6).

        A flash alert that is known goes first; then whatever may hide one.
        """
        allowed = (1 << lowest) - 1
        known = [(view.waiting & allowed, place) for place, view in enumerate(self._views) if view.waiting & allowed]
        if not any(waiting & _FLASH for waiting, _ in known):
            due = [place for place, view in enumerate(self._views) if view.look_at <= now]
            if due:
                return self._go(min(due, key=lambda place: self._views[place].served), floor=_NEVER)
            if (self._turn + 1) % FLOOR == 0 and known:
                return self._go(max(known, key=lambda pair: pair[0].bit_length())[1], floor=1)
        if not known:
            return None
        worst = min(waiting & -waiting for waiting, _ in known)
        equal = [place for waiting, place in known if waiting & worst]
        return self._go(min(equal, key=lambda place: self._views[place].served), floor=_NEVER)

    def _go(self, place: int, *, floor: int) -> Look:
        self._turn += 1
        self._views[place].served = self._turn
        return Look(place, floor)

    def found(self, place: int, *, waiting: int, look_at: float) -> None:
        """Take in what a partition answered: the classes that wait there, and when more may."""
        view = self._views[place]
        view.waiting, view.look_at = waiting, look_at

    def nothing(self, place: int, *, lowest: int, look_at: float) -> None:
        """Take in that no class down to ``lowest`` waits there."""
        view = self._views[place]
        view.waiting &= ~((1 << lowest) - 1)
        view.look_at = look_at

    def rang(self, place: int) -> None:
        """Look there at the next occasion: something was published."""
        self._views[place].look_at = 0.0

    def rest(self, now: float) -> float:
        """Return for how many seconds nothing is to be looked at."""
        return max(0.0, min(view.look_at for view in self._views) - now)
