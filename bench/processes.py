"""Processes on this machine: which the relay started, and what each has used of processor and memory (Linux)."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Stat:
    """What ``/proc/<pid>/stat`` says: the parent, and the processor time used so far in seconds."""

    parent: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process holds, in bytes: all that is mapped in, and that with shared pages divided among their users."""

    resident: int
    share: int


def read_stat(line: str, *, ticks: int) -> Stat:
    """Read a line of ``/proc/<pid>/stat``; the name in parentheses may hold anything, parentheses too."""
    fields = line.rpartition(")")[2].split()
    return Stat(parent=int(fields[1]), cpu=(int(fields[11]) + int(fields[12])) / ticks)


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the processor time that each process has used; 0 for one that is gone."""
    return {name: stat.cpu if (stat := _stat(pid)) else 0.0 for name, pid in pids.items()}


def memory_of(pid: int) -> Memory:
    """Return what a process holds; nothing for one that is gone."""
    rows = {line.split(":")[0]: line.split()[1] for line in _text(PROC / str(pid) / "smaps_rollup").splitlines()[1:]}
    return Memory(int(rows.get("Rss", 0)) * 1024, int(rows.get("Pss", 0)) * 1024)


def family(pid: int) -> dict[str, int]:
    """Return a running relay's processes by what they do: ``api``, ``worker``, ``worker 2``, ``redis`` …"""
    found: dict[str, int] = {}
    for child in _descendants(pid):
        _add(found, role_of(_text(PROC / str(child) / "cmdline").split("\0")), child)
    # The process that was started is the API, unless it only looks after one.
    found.setdefault("api" if "api" not in found else "supervisor", pid)
    return found


def role_of(words: list[str]) -> str:
    """Return what a process does, by the words it was started with."""
    if "--role" in words:
        return words[words.index("--role") + 1]
    return "redis" if "redis" in words[0] or "valkey" in words[0] else "other"


def _add(found: dict[str, int], role: str, pid: int) -> None:
    count = sum(name.split()[0] == role for name in found)
    found[f"{role} {count + 1}" if count else role] = pid


def _descendants(pid: int) -> list[int]:
    parents = {
        int(entry.name): stat.parent
        for entry in PROC.iterdir()
        if entry.name.isdigit() and (stat := _stat(int(entry.name)))
    }
    found, new = [], [pid]
    while new:
        new = [child for child, parent in parents.items() if parent in new]
        found += new
    return sorted(found)


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the processor seconds between two readings, by process."""
    return {name: after[name] - before.get(name, 0.0) for name in after}


def machine() -> dict[str, str]:
    """Return what the figures were measured on."""
    names = [line.partition(":")[2].strip() for line in _text(PROC / "cpuinfo").splitlines() if "model name" in line]
    rows = dict(_pairs(_text(PROC / "meminfo").splitlines()))
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(rows.get('MemTotal', '0 kB').split()[0]) / 1024 / 1024:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def load() -> float:
    """Return how many processes wanted a processor, on average over the last minute."""
    return round(os.getloadavg()[0], 2)


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    return ((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))


def _stat(pid: int) -> Stat | None:
    line = _text(PROC / str(pid) / "stat")
    return read_stat(line, ticks=os.sysconf("SC_CLK_TCK")) if line else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
