"""The command ``relay``: what it can be told, and how its failures are said."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from relay.commands import (
    alerts,
    channels,
    check,
    demo,
    doctor,
    keys,
    recipients,
    send,
    serve,
    status,
    switches,
    validate,
    version,
)
from relay.commands.failures import REFUSED, UNREACHABLE, Refused, Unreachable
from relay.commands.options import Options, globals_first
from relay.commands.terminal import clean, complain, raw
from relay.errors import RelayError

EPILOG = """\b
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no relay answers.

The command line talks to the running relay of this configuration with the key in <data_dir>/admin.key.
--config, --url, --key-file and --lang may stand anywhere on the line.
"""

app = typer.Typer(
    name="relay",
    help="Chapar: agencies post disaster alerts, people get them in their language, every delivery is tracked.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    context: typer.Context,
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="PATH", help="The configuration; else RELAY_CONFIG, else ./config/relay.toml."
        ),
    ] = None,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Where the relay is; else as the configuration says.")
    ] = "",
    key_file: Annotated[
        Path | None,
        typer.Option("--key-file", metavar="PATH", help="A file that holds a key; else <data_dir>/admin.key."),
    ] = None,
    lang: Annotated[str, typer.Option("--lang", metavar="en|ru", help="The language of findings and refusals.")] = "en",
) -> None:
    """Take the options that stand for every command."""
    if lang not in ("en", "ru"):
        raise typer.BadParameter("findings are written in en and ru", param_hint="--lang")
    if url and not url.startswith(("http://", "https://")):
        raise typer.BadParameter("write for example http://127.0.0.1:8080", param_hint="--url")
    context.obj = Options(config=config, url=url, key_file=key_file, language=lang)


app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("send")(send.send)
app.command("validate")(validate.validate)
app.command("status")(status.status)
app.add_typer(alerts.app, name="alerts")
app.add_typer(recipients.app, name="recipients")
app.add_typer(keys.app, name="keys")
app.add_typer(channels.app, name="channels")
app.command("stop")(switches.stop)
app.command("resume")(switches.resume)
app.command("check")(check.check)
app.command("doctor")(doctor.doctor)
app.command("version")(version.version)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``arguments`` None are those of the process."""
    words = globals_first(sys.argv[1:] if arguments is None else arguments)
    _never_fail_to_write()
    try:
        app(args=words, prog_name="relay")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else REFUSED
    except Unreachable as error:
        complain(f"relay: {clean(error)}")
        return UNREACHABLE
    except Refused as error:
        return _refused(error, machine="--json" in words)
    except RelayError as error:
        complain(f"relay: {clean(error)}")
        return REFUSED
    return 0


def _refused(error: Refused, *, machine: bool) -> int:
    from relay.commands.problem import problem_lines

    if machine and error.body:
        raw(error.body)
        return REFUSED
    for line in problem_lines(error.problem):
        complain(line)
    return REFUSED


def _never_fail_to_write() -> None:
    """Write what a terminal's encoding lacks as escapes: a warning in Kazakh must not end in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
