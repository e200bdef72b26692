"""``relay version``: what is installed here."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

from relay.commands.terminal import say

DISTRIBUTION = "chapar-relay"


def installed() -> str:
    """Return the version of the installed relay."""
    try:
        return version_of(DISTRIBUTION)
    except PackageNotFoundError:
        return "not installed as a package"


def version() -> None:
    """Print the version."""
    say(f"chapar-relay {installed()}")
