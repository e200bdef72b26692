"""How a command can fail, and the exit code of each way (design §18).

RelayError
├── Unreachable     no relay answers (exit 3)
├── Refused         the relay answered with a problem document (exit 1)
└── Failed          something on this machine is not as the command needs it (exit 1)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay.errors import RelayError

DONE = 0
REFUSED = 1
USAGE = 2
UNREACHABLE = 3


class Unreachable(RelayError):
    """No relay answers; the message says at which address, and how to start one."""


class Refused(RelayError):
    """The relay refused; ``problem`` is its problem document, ``body`` the bytes as they came."""

    def __init__(self, problem: Mapping[str, Any], body: bytes) -> None:
        super().__init__(str(problem.get("title", "refused")))
        self.problem = problem
        self.body = body


class Failed(RelayError):
    """A file, a key or an answer is not what the command needs; the message says what to do."""
