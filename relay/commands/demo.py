"""``relay demo``: a real warning, start to end, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    *,
    stay: Annotated[bool, typer.Option("--stay", help="Keep the signed-in status page open afterwards.")] = False,
) -> None:
    """Show the way of a warning on this machine; nothing leaves it."""
    from relay.demo import main

    raise typer.Exit(main(stay=stay))
