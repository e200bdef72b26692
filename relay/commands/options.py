"""What every command can be told: which configuration, which relay, which key, which language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from relay.commands.client import Client
    from relay.commands.target import Target
    from relay.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print the relay's own answer, unchanged, for machines.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays with the decision.")]
Cursor = Annotated[str, typer.Option("--cursor", help="With --json: the next page, as `next` of the last one says.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many rows.")]

GLOBALS = ("--config", "--url", "--key-file", "--lang")
"""Options with a value that may stand anywhere on the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options that stand for every command; nothing is read before a command needs it."""

    config: Path | None = None
    url: str = ""
    key_file: Path | None = None
    language: str = "en"

    def settings(self) -> Settings:
        """Return the configuration.

        Raises:
            ConfigError: it cannot be used.
        """
        from relay.settings import load

        return load(self.config)

    def target(self) -> Target:
        """Return the relay to talk to.

        Raises:
            ConfigError: the configuration cannot be used.
            Failed: the key file cannot be read.
        """
        from relay.commands.target import find

        return find(self.settings(), url=self.url, key_file=self.key_file)

    def client(self) -> Client:
        """Return a client of the relay to talk to; raises as :meth:`target`."""
        from relay.commands.client import Client

        return Client(self.target(), language=self.language)


def options_of(context: typer.Context) -> Options:
    """Return the options that stand before the command."""
    found = context.obj
    return found if isinstance(found, Options) else Options()


def globals_first(arguments: Sequence[str]) -> list[str]:
    """Move the options for every command before the command, so that people may write them where they like.

    What follows ``--`` is left alone.
    """
    first: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in GLOBALS:
            value = next(words, None)
            first += [word] if value is None else [word, value]
        elif word.partition("=")[0] in GLOBALS and "=" in word:
            first.append(word)
        else:
            rest.append(word)
    return first + rest
