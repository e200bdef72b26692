"""``relay check``: whether the configuration, the adapters and the texts are fit, before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from relay.commands.options import Json, options_of

if TYPE_CHECKING:
    from relay.commands.checklist import Item
    from relay.commands.options import Options


def check(context: typer.Context, *, json: Json = False) -> None:
    """Check configuration, texts, adapters and channels.

    Says of every adapter where it came from. The exit code is 1 when there is an error.
    """
    from relay.commands.checklist import checklist_lines, document, exit_code
    from relay.commands.terminal import raw

    items = look(options_of(context))
    if json:
        raw(document(items))
    else:
        typer.echo("\n".join(checklist_lines(items)))
    raise typer.Exit(exit_code(items))


def look(options: Options) -> list[Item]:
    """Return everything that was found; without a configuration that can be read, only that and the adapters."""
    from relay.commands import check_adapters, check_settings
    from relay.commands.checklist import error
    from relay.errors import ConfigError

    adapters = check_adapters.installed()
    try:
        settings = options.settings()
    except ConfigError as trouble:
        return [error("configuration", str(trouble)), *adapters]
    return [
        *check_settings.settings_items(settings),
        *adapters,
        *check_adapters.channel_items(settings),
        *check_settings.text_items(),
    ]
