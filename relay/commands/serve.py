"""``relay serve``: the relay itself."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Annotated, Literal

import typer

from relay import garbage
from relay.commands.options import options_of


def serve(
    context: typer.Context,
    *,
    role: Annotated[
        Literal["all", "api", "worker"],
        typer.Option("--role", help="all: the API with its workers; api: the API alone; worker: workers alone."),
    ] = "all",
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=0, max=64, help="How many workers; else as configured, with --role worker one."),
    ] = None,
    ready_fd: Annotated[int | None, typer.Option("--ready-fd", hidden=True)] = None,
) -> None:
    """Run the relay until it is told to stop (Ctrl-C or SIGTERM); SIGHUP replaces its workers without a pause."""
    # Until the loop listens: process 1 of a container is deaf to signals that it has not asked for.
    signal.signal(signal.SIGTERM, _not_begun)
    settings = options_of(context).settings()
    with garbage.none():
        from relay.app import serve as run

    raise typer.Exit(run(settings, role=role, workers=workers, ready_fd=ready_fd))


def _not_begun(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
