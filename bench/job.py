"""What every measurement is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.directories import Directories
from bench.figures import Figure
from bench.relay import Say
from bench.sizes import Sizes


@dataclass(frozen=True, slots=True)
class Job:
    """How large to measure, whom to tell how far it is, and the directories that several figures share."""

    sizes: Sizes
    say: Say
    directories: Directories


Measure = Callable[[Job], Awaitable[Figure]]
