"""The Lua scripts: files as resources, loaded by hash, sent again when the server forgot them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from redis.exceptions import NoScriptError

_INCLUDE = "-- include "


@cache
def source(name: str) -> str:
    """Return the text of ``lua/<name>.lua`` with its ``-- include NAME`` lines replaced by those files."""
    text = resources.files("relay.store").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    lines = [
        source(line.removeprefix(_INCLUDE).strip()) if line.startswith(_INCLUDE) else line for line in text.splitlines()
    ]
    return "\n".join(lines)


@cache
def digest(name: str) -> str:
    """Return the SHA-1 by which the server knows the script."""
    return hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()


async def run(client: Any, name: str, keys: Sequence[str], args: Sequence[str | bytes | int | float]) -> Any:  # noqa: ANN401 -- replies are what the script returns
    """Run a script; every key it touches is in ``keys``."""
    try:
        return await client.evalsha(digest(name), len(keys), *keys, *args)
    except NoScriptError:
        return await client.eval(source(name), len(keys), *keys, *args)
