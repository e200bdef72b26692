"""``relay doctor``: whether this machine, its disk and its Redis are fit for warnings; starts and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from relay.commands.options import Json, options_of

if TYPE_CHECKING:
    from relay.clock import Clock
    from relay.commands.checklist import Item
    from relay.commands.options import Options
    from relay.settings import Settings


def doctor(context: typer.Context, *, json: Json = False) -> None:
    """Look at this machine, its disk, clock and Redis.

    It starts nothing: without a running relay its private server is not looked at. The exit code is 1 when
    something is wrong.
    """
    from relay.clock import SystemClock
    from relay.commands.checklist import checklist_lines, document, exit_code
    from relay.commands.terminal import raw

    items = look(options_of(context), clock=SystemClock())
    if json:
        raw(document(items))
    else:
        typer.echo("\n".join(checklist_lines(items)))
    raise typer.Exit(exit_code(items))


def look(options: Options, *, clock: Clock) -> list[Item]:
    """Return everything that was found."""
    from relay.commands.checklist import error
    from relay.commands.doctor_machine import data_items, program_items
    from relay.errors import ConfigError

    program = program_items()
    try:
        settings = options.settings()
    except ConfigError as trouble:
        return [*program, error("configuration", str(trouble))]
    running = _relay(options)
    return [*program, *data_items(settings, clock=clock), running, *_redis(settings, clock=clock)]


def _relay(options: Options) -> Item:
    from relay.commands.checklist import error, ok, remark, warning
    from relay.commands.failures import Failed, Refused, Unreachable

    try:
        target = options.target()
        answer = options.client().get("/readyz").document()
    except Unreachable:
        return remark("running", f"no relay answers at {target.url}; nothing was started for this")
    except Refused as trouble:
        return error("running", f"the relay at {target.url} cannot accept alerts: {trouble}")
    except Failed as trouble:
        return error("running", str(trouble))
    if answer.get("redis") != "ok":
        return warning("running", f"the relay at {target.url} accepts alerts, but its Redis is away: nothing is sent")
    return ok("running", f"the relay at {target.url} accepts alerts")


def _redis(settings: Settings, *, clock: Clock) -> list[Item]:
    from relay.commands.checklist import error, remark
    from relay.store.embedded import socket_url
    from relay.store.server_files import ServerFiles

    if settings.redis.url:
        return _server(settings, settings.redis.url, private=False, clock=clock)
    if not ServerFiles(settings.data_dir).socket.exists():
        return [_choice(settings), remark("redis", "the private server does not run; start the relay to look at it")]
    items = _server(settings, socket_url(settings.data_dir), private=True, clock=clock)
    return items or [error("redis", "the private server says nothing")]


def _server(settings: Settings, url: str, *, private: bool, clock: Clock) -> list[Item]:
    import asyncio

    from relay.commands.checklist import error
    from relay.commands.doctor_server import server_items
    from relay.errors import ConfigError, StoreUnavailable
    from relay.redact import mask
    from relay.store.doctor import examine

    try:
        facts = asyncio.run(examine(url, timeout=settings.redis.timeout, clock=clock))
    except (ConfigError, StoreUnavailable) as trouble:
        return [error("redis", f"{mask(url)}: {trouble}")]
    return server_items(facts, budget=settings.redis.accept_budget, private=private)


def _choice(settings: Settings) -> Item:
    """Say which server a start would take."""
    from relay.commands.checklist import error, ok
    from relay.errors import ConfigError
    from relay.store.server_choice import candidates, choose
    from relay.store.server_files import ServerFiles

    files = ServerFiles(settings.data_dir)
    made = files.made()
    try:
        server = choose(candidates(settings.redis.server, made), made=made, folder=files.folder)
    except ConfigError as trouble:
        return error("redis server", str(trouble))
    return ok("redis server", f"{server} ({server.path})")
