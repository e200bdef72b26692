"""``relay channels``: the paths by which messages leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import typer

from relay.commands.options import Json, Reason, options_of
from relay.commands.terminal import Sheet, clean, note, raw, say, show

app = typer.Typer(help="Channels: list, pause, resume, examples.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel's name, as `relay channels list` shows it.")]


@app.command("list")
def list_(context: typer.Context, *, json: Json = False) -> None:
    """List the channels of the running relay and how they are doing."""
    answer = options_of(context).client().get("/v1/channels")
    if json:
        raw(answer.body)
        return
    show(channels_sheet(answer.document().get("channels") or ()))


@app.command("pause")
def pause(context: typer.Context, name: Name, *, reason: Reason = "", json: Json = False) -> None:
    """Send nothing more through a channel; another one of its kind takes over, or messages wait."""
    _switch(context, name, "pause", reason=reason, json=json)


@app.command("resume")
def resume(context: typer.Context, name: Name, *, reason: Reason = "", json: Json = False) -> None:
    """Send through a channel again."""
    _switch(context, name, "resume", reason=reason, json=json)


@app.command("add")
def add(
    adapter: Annotated[str, typer.Argument(metavar="ADAPTER", help="smpp, smtp, webhook, console or one of your own.")],
    *,
    example: Annotated[
        bool, typer.Option("--example", help="Print the block; this is all that the command does.")
    ] = False,
) -> None:
    """Print the block of configuration that adds a channel.

    The configuration is a file of yours, which the relay never changes: copy the block into it.
    """
    text = example_of(adapter)
    typer.echo(text, nl=False)
    if not example:
        note("copy this into your configuration, change it, and look at it with `relay check`")


def example_of(adapter: str) -> str:
    """Return the block of configuration for an adapter.

    Raises:
        ConfigError: no adapter of that name is installed.
    """
    from relay.commands.channel_examples import EXAMPLES, bare_example

    if adapter in EXAMPLES:
        return EXAMPLES[adapter]
    from relay.fanout.channels import adapter_class

    return bare_example(adapter, adapter_class(adapter).descriptor.settings)


def _switch(context: typer.Context, name: str, word: str, *, reason: str, json: bool) -> None:
    path = f"/v1/channels/{quote(name, safe='')}/{word}"
    answer = options_of(context).client().post_document(path, {"reason": reason} if reason else {})
    if json:
        raw(answer.body)
        return
    say(f"{word}d: {name}")


def channels_sheet(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """Return the table of channels."""
    return Sheet(
        columns=("name", "kind", "adapter", "state", "now", "rate", "lanes", "takes", "last error"),
        rows=[
            (
                clean(row.get("name")),
                clean(row.get("kind")),
                clean(row.get("adapter")) or "-",
                _state(row),
                f"{float(row.get('per_second') or 0):g}/s",
                f"{float(row['rate']):g}/s" if row.get("rate") else "no limit",
                " ".join(clean(lane) for lane in row.get("lanes") or ()) or "-",
                " ".join(clean(prefix) for prefix in row.get("match") or ()) or "all",
                clean(row.get("error")) or "-",
            )
            for row in rows
        ],
        empty="no channels",
    )


def _state(row: Mapping[str, Any]) -> str:
    state, paused = clean(row.get("state")), row.get("paused")
    reason = clean(paused.get("reason")) if isinstance(paused, Mapping) else ""
    return f"{state}: {reason}" if reason else state
