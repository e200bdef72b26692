"""``relay status``: the truth at a glance, once or every two seconds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from relay.commands.failures import Unreachable
from relay.commands.options import Json, options_of
from relay.commands.terminal import raw, say
from relay.errors import RelayError

if TYPE_CHECKING:
    from relay.clock import Clock
    from relay.commands.client import Client
    from relay.commands.status_lines import Frame

EVERY = 2.0
"""Seconds between two looks."""

_ANSWER_WITHIN = 5.0
_HOME = "\x1b[H"
_REST = "\x1b[K\n"
_BELOW = "\x1b[J"


def status(
    context: typer.Context,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")] = False,
    times: Annotated[int, typer.Option("--times", min=0, help="With --watch: how often; 0 is until Ctrl-C.")] = 0,
    json: Json = False,
) -> None:
    """Show what waits, who was reached, what is broken."""
    from relay.commands.status_lines import status_lines

    if watch and json:
        raise typer.BadParameter("a machine asks again by itself", param_hint="--json")
    options = options_of(context)
    client, url = options.client(), options.target().url
    if watch:
        _watch(client, url, times=times)
        return
    answer = client.get("/status")
    if json:
        raw(answer.body)
        return
    for line in status_lines(answer.document(), url=url):
        say(line)


def _watch(client: Client, url: str, *, times: int) -> None:
    import time

    from relay.clock import SystemClock
    from relay.commands.status_lines import FEW, Frame, frame_lines

    clock = SystemClock()
    frame = Frame(url=url)
    looked = 0
    try:
        while True:
            frame = look(client, frame, clock=clock)
            _draw(frame_lines(frame, now=clock.monotonic(), most=FEW), first=looked == 0)
            looked += 1
            if looked == times:
                return
            time.sleep(EVERY)
    except KeyboardInterrupt:
        return


def look(client: Client, frame: Frame, *, clock: Clock) -> Frame:
    """Return the next frame: a fresh one, or the old one with the reason why it is old."""
    from dataclasses import replace

    try:
        document = client.get("/status", within=_ANSWER_WITHIN).document()
    except Unreachable as error:
        return replace(frame, trouble=str(error))
    except RelayError as error:
        if frame.document is None:
            raise  # a wrong key will not become right
        return replace(frame, trouble=str(error))
    return replace(frame, document=document, at=clock.monotonic(), trouble="")


def _draw(lines: list[str], *, first: bool) -> None:
    """Write one frame: over the last one on a terminal, below it in a pipe."""
    if not sys.stdout.isatty():
        typer.echo("\n".join([*lines, ""]))
        return
    import shutil

    width = shutil.get_terminal_size().columns - 1
    start = "\x1b[2J" if first else ""
    typer.echo(start + _HOME + "".join(line[:width] + _REST for line in lines) + _BELOW, nl=False)
