"""``relay recipients``: the directory of those who are to be told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from relay.commands.failures import REFUSED, Failed
from relay.commands.input_file import InputFile
from relay.commands.options import Cursor, Json, Limit, options_of
from relay.commands.terminal import note, raw, say, show

app = typer.Typer(help="Recipients: import, export, look at, change.", no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[str, typer.Argument(metavar="ID", help="The recipient's id.")]


@app.command("import")
def import_(context: typer.Context, *, file: InputFile, json: Json = False) -> None:
    """Store recipients, one JSON object a line (NDJSON); good lines are stored, bad ones are listed.

    The exit code is 1 when a line was refused.
    """
    from relay.commands.recipients_shapes import import_lines
    from relay.commands.transfer import upload

    answer = upload(options_of(context).client(), "/v1/recipients/import", file)
    document = answer.document()
    if json:
        raw(answer.body)
    else:
        for line in import_lines(document):
            say(line)
    raise typer.Exit(REFUSED if document.get("failed") else 0)


@app.command("export")
def export(
    context: typer.Context,
    *,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", dir_okay=False, help="Else standard output.")] = None,
) -> None:
    """Write all recipients, one JSON object a line; secrets are not among it."""
    from relay.commands.transfer import download, to_stdout

    client = options_of(context).client()
    if file is None:
        to_stdout(client, "/v1/recipients/export")
        return
    lines = download(client, "/v1/recipients/export", file)
    note(f"wrote {lines:,} recipient{'s' if lines != 1 else ''} to {file}")


@app.command("list")
def list_(context: typer.Context, *, limit: Limit = 50, cursor: Cursor = "", json: Json = False) -> None:
    """Show recipients as a table; `relay recipients export` gives all of them to machines."""
    from relay.commands.pages import MOST, given, read
    from relay.commands.recipients_shapes import recipients_sheet

    client = options_of(context).client()
    if json:
        raw(client.get("/v1/recipients", params={**given(cursor=cursor), "limit": str(min(limit, MOST))}).body)
        return
    found = read(client, "/v1/recipients", plural="recipients", params={}, limit=limit)
    show(recipients_sheet(found.rows))
    if found.more:
        note(f"there are more; {limit} are shown (--limit)")


@app.command("show")
def show_(context: typer.Context, *, recipient_id: Id, json: Json = False) -> None:
    """Show one recipient."""
    from relay.commands.recipients_shapes import recipient_lines

    answer = options_of(context).client().get(_path(recipient_id))
    if json:
        raw(answer.body)
        return
    for line in recipient_lines(answer.document()):
        say(line)


@app.command("put")
def put(context: typer.Context, *, file: InputFile, json: Json = False) -> None:
    """Store one recipient from a file that holds one JSON object; its `id` says which."""
    from relay.commands.recipients_shapes import secret_lines
    from relay.commands.transfer import read_object

    wanted = read_object(file)
    recipient_id = wanted.document.get("id")
    if not isinstance(recipient_id, str) or not recipient_id:
        raise Failed(f'{file}: the recipient needs an id, for example {{"id": "rescue-7", …}}')
    answer = options_of(context).client().put(_path(recipient_id), wanted.body)
    if json:
        raw(answer.body)
        return
    say(f"{'created' if answer.status == 201 else 'changed'}: {recipient_id}")
    for line in secret_lines(wanted.document, answer.document()):
        say(line)


@app.command("delete")
def delete(context: typer.Context, recipient_id: Id) -> None:
    """Take a recipient out of the directory; nothing is sent to it from now on."""
    options_of(context).client().delete(_path(recipient_id))
    say(f"deleted: {recipient_id}")


def _path(recipient_id: str) -> str:
    return f"/v1/recipients/{quote(recipient_id, safe='')}"
