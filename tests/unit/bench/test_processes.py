"""Processor time is read as the kernel writes it."""

from __future__ import annotations

import os
import time

from bench.processes import Stat, cpu_seconds, family, machine, read_stat


def test_name_may_hold_anything() -> None:
    """Spaces and parentheses in a process's name do not shift the fields; times are in ticks."""
    line = "17 (a) b (c) S 4 17 17 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 1 1 1 1"

    assert read_stat(line, ticks=100) == Stat(parent=4, cpu=3.0)


def test_own_time_is_seen() -> None:
    """Work shows, and a process that is gone has used nothing."""
    before = cpu_seconds({"me": os.getpid(), "gone": 2**22 + 1})
    ends = time.process_time() + 0.05
    while time.process_time() < ends:
        sum(range(1000))
    after = cpu_seconds({"me": os.getpid(), "gone": 2**22 + 1})

    assert 0.03 <= after["me"] - before["me"] < 5
    assert after["gone"] == 0.0


def test_family_begins_with_the_process_itself() -> None:
    """A relay without children is its API."""
    assert family(os.getpid())["api"] == os.getpid()


def test_machine_is_named() -> None:
    """Whoever reads a figure sees what it was measured on."""
    assert machine().keys() == {"processor", "cores", "memory", "kernel", "python"}
