"""Why a connection did not carry a message or a bind; in each case nothing of it left, or it was refused."""

from __future__ import annotations

from adapters.sms.status import meaning


class NotBound(Exception):
    """The connection cannot carry a message now; nothing left."""


class BindRefused(Exception):
    """The provider answered the bind with an error; ``status`` is its code."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the provider refused the bind: ESME_{meaning(status).name}")
        self.status = status


class HeldBack(Exception):
    """The provider asked to slow down a moment ago; nothing left.  ``seconds`` is what remains of the pause."""

    def __init__(self, seconds: float) -> None:
        super().__init__("held back")
        self.seconds = seconds


class Hindered(Exception):
    """The item may not leave any more (it expired, or was stopped, while it waited); nothing left."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
