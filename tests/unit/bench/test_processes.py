"""Processor time is read as the kernel writes it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from bench.processes import Stat, cpu_seconds, family, load, machine, memory_of, read_stat, role_of, used


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


def test_children_are_found_by_what_they_do() -> None:
    """Workers and servers are told apart by their words, and two of a kind by a number; grandchildren count too."""
    sleeps = "import sys, time; time.sleep(30)"
    words = [[sys.executable, "-c", sleeps, "--role", "worker"], [sys.executable, "-c", sleeps, "--role", "worker"]]
    children = [subprocess.Popen(each) for each in words]
    try:
        found = family(os.getpid())
    finally:
        for child in children:
            child.kill()
            child.wait()

    assert {found["worker"], found["worker 2"]} == {child.pid for child in children}
    assert found["api"] == os.getpid()


@pytest.mark.parametrize(
    ("words", "role"),
    [
        (["python", "-m", "relay", "serve", "--role", "worker"], "worker"),
        (["/usr/bin/redis-server", "unixsocket"], "redis"),
        (["/x/valkey-server"], "redis"),
        (["python", "-m", "resource_tracker"], "other"),
    ],
)
def test_a_role_is_read_from_the_words(words: list[str], role: str) -> None:
    """Any family of server is the server."""
    assert role_of(words) == role


def test_memory_is_counted_in_bytes() -> None:
    """A running interpreter holds some megabytes, of which it may share some; a process that is gone holds none."""
    mine, gone = memory_of(os.getpid()), memory_of(2**22 + 1)

    assert 5e6 < mine.share <= mine.resident
    assert (gone.resident, gone.share) == (0, 0)


def test_time_between_two_readings() -> None:
    """A process that began meanwhile has used all it has used."""
    assert used({"api": 1.0}, {"api": 1.5, "worker": 2.0}) == {"api": 0.5, "worker": 2.0}
    assert load() >= 0
