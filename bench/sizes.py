"""How large the measured runs are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Numbers of recipients, repetitions and seconds of every figure.

    ``crowd`` recipients get each large alert; ``runs`` of it are made; ``flashes`` and ``urgent`` are samples of E4;
    ``slow`` recipients wait on the lane of 100/s; ``hooks`` webhooks are posted, ``at_once`` at a time.
    """

    crowd: int = 200_000
    runs: int = 3
    piles: int = 5
    flashes: int = 20
    urgent: int = 8
    slow: int = 4_000
    hooks: int = 20_000
    at_once: int = 64
    bare_seconds: float = 2.0


QUICK = Sizes(crowd=2_000, runs=1, piles=2, flashes=2, urgent=1, slow=200, hooks=300, at_once=16, bare_seconds=0.2)
