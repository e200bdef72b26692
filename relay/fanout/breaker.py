"""The breaker: whether a provider is worth trying now, judged by what its last hand-overs led to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from relay.adapter import Outcome, Scope, Verdict
from relay.fanout.retry import HINDRANCES

#: As many deliveries as anybody could want to start.
MANY = 1 << 30

#: This many hand-overs in a row that failed by the provider's fault open the breaker; of its configuration's, one.
TRIPS = 3
#: Seconds that an open breaker keeps everything back, each time it opens again; the last one repeats.
PAUSES = (2.0, 5.0, 15.0, 30.0)
#: A probe that nobody heard the end of is forgotten after this many seconds.
_LOST = 35.0
#: A provider may ask for at most this pause of the whole channel, in seconds.
_LONGEST_PAUSE = 60.0
#: A hand-over that has no answer for this long makes the provider slow: urgent news prefers another one.
SLOW = 5.0
#: While a full channel has had no answer for this long, what would wait for its turn is put off instead.
STALLED = 1.0

_FAULTS = (Verdict.RETRY, Verdict.REJECTED, Verdict.UNKNOWN)


@dataclass(slots=True)
class Breaker:
    """One provider's health in one process; all times are seconds of a monotonic clock.

    Closed, it lets everything start; open, nothing until a pause is over; then half-open: one delivery (or the
    adapter's own ``health``) tries, and its end decides.
    """

    most: int = MANY  # deliveries that may be under way at once
    _failures: int = 0
    _opened: int = 0  # times in a row
    _until: float = 0.0
    _probe: float | None = None  # when the probe began
    _begun: dict[int, tuple[float, int]] = field(default_factory=dict)
    _tickets: int = 0

    def admits(self, now: float) -> int:
        """Return how many more deliveries may start now."""
        if now < self._until or self._stalled(now):
            return 0
        if not self._opened:
            return MANY
        return 0 if self._probe is not None and now - self._probe < _LOST else 1

    def wait(self, now: float) -> float:
        """Return the seconds after which asking again makes sense."""
        return max(self._until - now, 0.0)

    def probing(self, now: float) -> None:
        """Take note that the one delivery of a half-open breaker is about to start."""
        if self._opened:
            self._probe = now

    @property
    def is_open(self) -> bool:
        """Whether the provider failed last; also while a probe is under way."""
        return self._opened > 0

    def due(self, now: float) -> bool:
        """Whether it is time for somebody to probe."""
        return self._opened > 0 and now >= self._until and self.admits(now) > 0

    def slow(self, now: float) -> bool:
        """Whether a hand-over has been without an answer for long."""
        return self._oldest(now) >= SLOW

    def begin(self, count: int, *, now: float) -> int:
        """Take note of a hand-over of ``count`` deliveries; returns its ticket."""
        self._tickets += 1
        self._begun[self._tickets] = (now, count)
        return self._tickets

    def answered(self, ticket: int) -> None:
        """Take note that one delivery of a hand-over has its outcome, before the others have theirs."""
        began, count = self._begun.get(ticket, (0.0, 0))
        if count:
            self._begun[ticket] = (began, count - 1)

    def end(self, ticket: int, outcomes: Sequence[Outcome], *, now: float) -> None:
        """Learn from the end of a hand-over; none at all means that it did not begin after all."""
        self._begun.pop(ticket, None)
        if not outcomes:
            self._probe = None
            return
        self.hear(outcomes, now=now)

    def hear(self, outcomes: Sequence[Outcome], *, now: float) -> None:
        """Learn from outcomes; what was kept back in the last moment says nothing."""
        outcomes = [o for o in outcomes if o.reason not in HINDRANCES]
        if not outcomes:
            self._probe = None
            return
        asked = [o.retry_after or 0.0 for o in outcomes if _throttles(o)]
        if asked:
            self._until = max(self._until, now + min(max(asked), _LONGEST_PAUSE))
        if all(_fault(o) for o in outcomes):
            self._failed(now, at_once=any(o.scope is Scope.CONFIG for o in outcomes))
        elif not all(_throttles(o) for o in outcomes):
            self.works()

    def works(self) -> None:
        """Close: the provider answered."""
        self._failures, self._opened, self._probe = 0, 0, None

    def still_down(self, now: float) -> None:
        """Stay open for longer: the probe failed."""
        self._failed(now, at_once=True)

    def _failed(self, now: float, *, at_once: bool) -> None:
        self._failures += 1
        if self._opened and self._probe is None:
            # A hand-over from before it opened; only the probe counts now.
            return
        if self._opened or at_once or self._failures >= TRIPS:
            self._until = max(self._until, now + PAUSES[min(self._opened, len(PAUSES) - 1)])
            self._opened += 1
            self._probe = None

    def _stalled(self, now: float) -> bool:
        return sum(count for _, count in self._begun.values()) >= self.most and self._oldest(now) >= STALLED

    def _oldest(self, now: float) -> float:
        return max((now - began for began, _ in self._begun.values()), default=0.0)


def _fault(outcome: Outcome) -> bool:
    return outcome.scope in (Scope.PROVIDER, Scope.CONFIG) and outcome.verdict in _FAULTS


def _throttles(outcome: Outcome) -> bool:
    return outcome.verdict is Verdict.THROTTLED and outcome.scope is Scope.PROVIDER
