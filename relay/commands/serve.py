"""``relay serve``: the relay itself."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

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
    settings = options_of(context).settings()
    from relay.app import serve as run

    raise typer.Exit(run(settings, role=role, workers=workers, ready_fd=ready_fd))
