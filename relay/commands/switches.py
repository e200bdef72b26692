"""``relay stop`` and ``relay resume``: the switch for everything that is being sent."""

from __future__ import annotations

import typer

from relay.commands.options import Json, Reason, options_of
from relay.commands.terminal import raw, say


def stop(context: typer.Context, *, reason: Reason = "", json: Json = False) -> None:
    """Stop all sending within a second.

    Alerts are still accepted and wait until `relay resume`.
    """
    answer = options_of(context).client().post_document("/v1/stop", {"reason": reason} if reason else {})
    if json:
        raw(answer.body)
        return
    say("stopped: nothing is sent until `relay resume`; alerts are still accepted and wait")


def resume(context: typer.Context, *, reason: Reason = "", json: Json = False) -> None:
    """Go on sending after `relay stop`."""
    answer = options_of(context).client().post_document("/v1/resume", {"reason": reason} if reason else {})
    if json:
        raw(answer.body)
        return
    say("sending goes on")
