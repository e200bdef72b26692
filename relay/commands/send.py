"""``relay send``: post an alert, and if wanted wait until it is known what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from relay.commands.failures import REFUSED, Failed, Unreachable
from relay.commands.input_file import InputFile
from relay.commands.options import Json, options_of
from relay.commands.terminal import note, raw, say

if TYPE_CHECKING:
    from relay.clock import Clock
    from relay.commands.client import Answer, Client

AT_ONCE = 10
"""Seconds that one question waits for its answer."""

_PAUSE = 1.0
_DONE = frozenset({"completed", "cancelled", "superseded"})
_NOT_SENT = frozenset({"held", "expired", "rejected"})


def send(
    context: typer.Context,
    *,
    file: InputFile,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is known who was reached.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what would otherwise be repaired.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=1, max=86_400, help="Seconds that --wait lasts.")] = 600,
    json: Json = False,
) -> None:
    """Post an alert, CAP 1.2 XML or JSON, to the running relay.

    With --wait the exit code is 1 when the alert is held, rejected, expired, or not finished in time.
    """
    if wait and dry_run:
        raise typer.BadParameter("a dry run sends nothing that could be waited for", param_hint="--wait")
    from relay.commands.alert_file import read
    from relay.commands.shapes import accepted_lines, preview_lines

    alert, client = read(file), options_of(context).client()
    params = {"dry_run": "true"} if dry_run else {}
    if strict:
        params["mode"] = "strict"
    answer = client.post("/v1/alerts", alert.body, media=alert.media, params=params)
    if json and not wait:
        raw(answer.body)
        return
    document = answer.document()
    tell = note if json else say
    for line in preview_lines(document) if dry_run else accepted_lines(document, status=answer.status):
        tell(line)
    if wait:
        _follow(client, str(document.get("id", "")), timeout=timeout, json=json)


def _follow(client: Client, alert_id: str, *, timeout: float, json: bool) -> None:
    from relay.clock import SystemClock
    from relay.commands.shapes import alert_lines

    try:
        last = until_ended(client, alert_id, timeout=timeout, clock=SystemClock())
    except KeyboardInterrupt:
        raise Failed(f"the alert goes on without us; look at it with `relay alerts show {alert_id}`") from None
    if json:
        raw(last.body)
    else:
        for line in alert_lines(last.document()):
            say(line)
    state = last.document().get("state")
    if state not in _DONE | _NOT_SENT:
        note(f"not finished after {timeout:g} s; it goes on: `relay alerts show {alert_id}`")
    raise typer.Exit(0 if state in _DONE else REFUSED)


def until_ended(client: Client, alert_id: str, *, timeout: float, clock: Clock) -> Answer:
    """Return the last answer about an alert, once it has ended or after ``timeout`` seconds.

    A relay that is away for a while (an upgrade, a crash) is asked again until the time is up.

    Raises:
        Unreachable: no relay answered in time.
    """
    import time

    ends = clock.monotonic() + timeout
    told = ""
    while True:
        left = ends - clock.monotonic()
        try:
            answer = _ask(client, alert_id, left=left)
        except Unreachable as error:
            if left <= _PAUSE:
                raise
            told = _tell(f"waiting: {error}", told)
            time.sleep(_PAUSE)
            continue
        state = answer.document().get("state")
        if state in _DONE | _NOT_SENT or clock.monotonic() >= ends:
            return answer
        told = _tell(_progress(answer), told)


def _ask(client: Client, alert_id: str, *, left: float) -> Answer:
    seconds = max(0.0, min(AT_ONCE, left))
    return client.get(f"/v1/alerts/{alert_id}", params={"wait": f"{seconds:.1f}"}, within=seconds + AT_ONCE)


def _progress(answer: Answer) -> str:
    from relay.commands.shapes import reach

    document = answer.document()
    return f"{document.get('state', '')}: {reach(document.get('counts') or {}) or 'nobody yet'}"


def _tell(line: str, told: str) -> str:
    if line != told:
        note(line)
    return line
