"""A quota: how many requests a minute one key, or one address, may make."""

from __future__ import annotations

from collections import OrderedDict

from relay.clock import Clock


class Quota:
    """A token bucket per name; a minute's worth may come at once.

    At most ``remembered`` names are kept, the longest unused goes first.
    """

    def __init__(self, *, per_minute: int, clock: Clock, remembered: int = 10_000) -> None:
        self._capacity = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._remembered = remembered
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """Count one request; return 0.0 when it is allowed, else the seconds after which it would be (429)."""
        now = self._clock.monotonic()
        tokens, since = self._buckets.pop(name, (self._capacity, now))
        tokens = min(self._capacity, tokens + (now - since) * self._per_second)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._per_second
        self._buckets[name] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        return wait
