"""``relay alerts``: what was accepted, what became of it, and a person's word on it."""

from __future__ import annotations

from typing import Annotated

import typer

from relay.commands.options import Cursor, Json, Limit, Options, Reason, options_of
from relay.commands.terminal import note, raw, say, show

app = typer.Typer(help="Alerts: list, show, decide.", no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[
    str, typer.Argument(metavar="ID", help="The alert's id, as `relay send` and `relay alerts list` show it.")
]


@app.command("list")
def list_(
    context: typer.Context,
    *,
    state: Annotated[str, typer.Option("--state", help="Only in this state: active, held, completed …")] = "",
    priority: Annotated[str, typer.Option("--priority", help="Only of this class: P0 … P4, PX.")] = "",
    since: Annotated[
        str, typer.Option("--since", help="Only from this time on, for example 2026-03-01T00:00:00Z.")
    ] = "",
    limit: Limit = 20,
    cursor: Cursor = "",
    json: Json = False,
) -> None:
    """List alerts, the newest first."""
    from relay.commands.pages import MOST, given, read
    from relay.commands.shapes import alerts_sheet

    client, params = options_of(context).client(), given(state=state, priority=priority, since=since)
    if json:
        page = {**params, **given(cursor=cursor), "limit": str(min(limit, MOST))}
        raw(client.get("/v1/alerts", params=page).body)
        return
    found = read(client, "/v1/alerts", plural="alerts", params=params, limit=limit)
    show(alerts_sheet(found.rows))
    if found.more:
        note(f"there are more; the newest {limit} are shown (--limit)")


@app.command("show")
def show_(context: typer.Context, *, alert_id: Id, json: Json = False) -> None:
    """Show one alert: its state, who was reached, what was found in it."""
    from relay.commands.shapes import alert_lines

    answer = options_of(context).client().get(f"/v1/alerts/{_path(alert_id)}")
    if json:
        raw(answer.body)
        return
    for line in alert_lines(answer.document()):
        say(line)


@app.command("deliveries")
def deliveries(
    context: typer.Context,
    *,
    alert_id: Id,
    state: Annotated[str, typer.Option("--state", help="Only in this state: delivered, failed, retrying …")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Only sms, email or webhook.")] = "",
    recipient: Annotated[str, typer.Option("--recipient", help="Only to this recipient.")] = "",
    limit: Limit = 100,
    cursor: Cursor = "",
    json: Json = False,
) -> None:
    """Show what became of each delivery of one alert."""
    from relay.commands.pages import MOST, given, read
    from relay.commands.shapes import deliveries_sheet

    client, params = options_of(context).client(), given(state=state, kind=kind, recipient=recipient)
    path = f"/v1/alerts/{_path(alert_id)}/deliveries"
    if json:
        raw(client.get(path, params={**params, **given(cursor=cursor), "limit": str(min(limit, MOST))}).body)
        return
    found = read(client, path, plural="deliveries", params=params, limit=limit)
    show(deliveries_sheet(found.rows))
    if found.more:
        note(f"there are more; {limit} are shown (--limit)")


@app.command("why")
def why(context: typer.Context, *, alert_id: Id, json: Json = False) -> None:
    """Explain what was decided about one alert, and why."""
    from relay.commands.shapes import why_lines

    answer = options_of(context).client().get(f"/v1/alerts/{_path(alert_id)}/why")
    if json:
        raw(answer.body)
        return
    for line in why_lines(answer.document()):
        say(line)


@app.command("cancel")
def cancel(context: typer.Context, *, alert_id: Id, reason: Reason = "", json: Json = False) -> None:
    """Withdraw an alert: stop what waits, and tell exactly those who were told."""
    answer = (
        options_of(context)
        .client()
        .post_document(f"/v1/alerts/{_path(alert_id)}/cancel", {"reason": reason} if reason else {})
    )
    if json:
        raw(answer.body)
        return
    document = answer.document()
    say(f"cancelled: {document.get('cancels', alert_id)}, by alert {document.get('id', '')}")
    say("those who were told are told that it is withdrawn; the others are not told at all")


@app.command("approve")
def approve(context: typer.Context, *, alert_id: Id, reason: Reason = "", json: Json = False) -> None:
    """Let a held alert go out."""
    _decide(options_of(context), alert_id, "approve", reason=reason, json=json)


@app.command("reject")
def reject(context: typer.Context, *, alert_id: Id, reason: Reason = "", json: Json = False) -> None:
    """Keep a held alert from going out, for good."""
    _decide(options_of(context), alert_id, "reject", reason=reason, json=json)


def _decide(options: Options, alert_id: str, decision: str, *, reason: str, json: bool) -> None:
    document = {"decision": decision, "reason": reason} if reason else {"decision": decision}
    answer = options.client().post_document(f"/v1/alerts/{_path(alert_id)}/approval", document)
    if json:
        raw(answer.body)
        return
    word = {"approve": "approved", "reject": "rejected"}[decision]
    say(f"{word}: {alert_id} is now {answer.document().get('state', word)}")


def _path(identifier: str) -> str:
    """Return an id as one segment of a path: it must not lead anywhere else."""
    from urllib.parse import quote

    return quote(identifier, safe="")
