"""Processes on this machine: which the relay started, and how much processor time each has used (Linux)."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Stat:
    """What ``/proc/<pid>/stat`` says: the parent, and the processor time used so far in seconds."""

    parent: int
    cpu: float


def read_stat(line: str, *, ticks: int) -> Stat:
    """Read a line of ``/proc/<pid>/stat``; the name in parentheses may hold anything, parentheses too."""
    fields = line.rpartition(")")[2].split()
    return Stat(parent=int(fields[1]), cpu=(int(fields[11]) + int(fields[12])) / ticks)


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the processor time that each process has used; 0 for one that is gone."""
    return {name: stat.cpu if (stat := _stat(pid)) else 0.0 for name, pid in pids.items()}


def family(pid: int) -> dict[str, int]:
    """Return a running relay's processes by what they do: ``api``, ``worker``, ``redis``."""
    found = {"api": pid}
    for folder in PROC.iterdir():
        if folder.name.isdigit() and (stat := _stat(int(folder.name))) and stat.parent == pid:
            words = _text(folder / "cmdline").split("\0")
            found["worker" if "--role" in words else "redis"] = int(folder.name)
    return found


def machine() -> dict[str, str]:
    """Return what the figures were measured on."""
    names = [line.partition(":")[2].strip() for line in _text(PROC / "cpuinfo").splitlines() if "model name" in line]
    memory = next((line.split()[1] for line in _text(PROC / "meminfo").splitlines() if "MemTotal" in line), "0")
    return {
        "processor": f"{os.cpu_count()} × {names[0] if names else platform.machine()}",
        "memory": f"{int(memory) / 1024 / 1024:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    }


def _stat(pid: int) -> Stat | None:
    line = _text(PROC / str(pid) / "stat")
    return read_stat(line, ticks=os.sysconf("SC_CLK_TCK")) if line else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
