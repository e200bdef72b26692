"""The Lua scripts: files as resources, loaded by hash, sent again when the server forgot them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from redis.exceptions import NoScriptError

from relay.store.route import Command, piped

_INCLUDE = "-- include "

#: Scripts that bring to an end what was begun, and so make room: they run also when the server's memory is full.
_WHEN_FULL = frozenset(
    {"archive_lease", "checks_take", "claim", "close", "register", "renew", "retire", "settle", "stop"}
)


@cache
def source(name: str) -> str:
    """Return the text of ``lua/<name>.lua`` with its ``-- include NAME`` lines replaced by those files."""
    text = resources.files("relay.store").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    lines = [
        source(line.removeprefix(_INCLUDE).strip()) if line.startswith(_INCLUDE) else line for line in text.splitlines()
    ]
    return "\n".join(["#!lua flags=allow-oom", *lines] if name in _WHEN_FULL else lines)


@cache
def digest(name: str) -> str:
    """Return the SHA-1 by which the server knows the script."""
    return hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()


async def run(client: Any, name: str, keys: Sequence[str], args: Sequence[str | bytes | int | float]) -> Any:  # noqa: ANN401 -- replies are what the script returns
    """Run a script; every key it touches is in ``keys``."""
    try:
        return await client.execute_command("EVALSHA", digest(name), len(keys), *keys, *args)
    except NoScriptError:
        return await client.execute_command("EVAL", source(name), len(keys), *keys, *args)


async def run_then(
    client: Any,  # noqa: ANN401 -- as above
    name: str,
    keys: Sequence[str],
    args: Sequence[str | bytes | int | float],
    *,
    then: Command,
) -> tuple[Any, Any]:
    """Run a script and one command after it on the same connection; of the two replies the second may be an error."""
    rest = (len(keys), *keys, *args)
    reply, after = await piped(client, [("EVALSHA", digest(name), *rest), then], errors=True)
    if isinstance(reply, NoScriptError):
        reply, after = await piped(client, [("EVAL", source(name), *rest), then], errors=True)
    if isinstance(reply, BaseException):
        raise reply
    return reply, after
