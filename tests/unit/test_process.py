"""The decision how long to wait before a dead process is started again."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from relay.process import FIRST_PAUSE, LONGEST_PAUSE, boot, first, restart_after


def test_first_death_is_answered_quickly() -> None:
    """A single death costs a fifth of a second, not more."""
    decision = restart_after(lived=3.0, failures=0)

    assert (decision.pause, decision.failures) == (FIRST_PAUSE, 1)


def test_pauses_double_up_to_five_seconds() -> None:
    """A process that dies at once again and again is tried ever more slowly, but never given up."""
    pauses, failures = [], 0
    for _ in range(200):
        decision = restart_after(lived=0.0, failures=failures)
        pauses.append(decision.pause)
        failures = decision.failures

    assert pauses[:6] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert all(later >= earlier for earlier, later in pairwise(pauses))
    assert pauses[-1] == LONGEST_PAUSE


def test_long_life_forgives_earlier_deaths() -> None:
    """A process that lived for ten seconds is started as quickly as one that never died."""
    assert restart_after(lived=10.0, failures=9).pause == FIRST_PAUSE


async def test_what_comes_before_the_stop_is_returned() -> None:
    """A wait that ends first brings its result, or its own error."""

    async def brings(value: int) -> int:
        return 10 // value

    found = await first(brings(5), asyncio.Event())

    assert found == 2
    with pytest.raises(ZeroDivisionError):
        await first(brings(0), asyncio.Event())


async def test_a_stop_ends_a_wait() -> None:
    """Whoever waits for something that may never come hears the stop at once."""
    stopping, ended = asyncio.Event(), asyncio.Event()

    async def forever() -> int:
        try:
            return int(await asyncio.Event().wait())
        finally:
            ended.set()

    stopping.set()

    assert await first(forever(), stopping) is None
    assert ended.is_set()


def test_machine_has_been_started_once() -> None:
    """Whoever asks twice hears the same, and where Linux is, something."""
    assert boot() == boot()
    assert bool(boot()) is Path("/proc/sys/kernel/random/boot_id").exists()
