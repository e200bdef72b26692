"""The pages' own templates and static files; every value is escaped."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

STATIC = {"status.css": "text/css", "status.js": "text/javascript"}


@cache
def static(name: str) -> bytes:
    """Return a static file.

    Raises:
        KeyError: there is none of that name.
    """
    if name not in STATIC:
        raise KeyError(name)
    return files("relay.console").joinpath("static", name).read_bytes()


@cache
def static_path(name: str) -> str:
    """Return where a browser finds a static file: another address for another content, so that it may keep it."""
    return f"/console/static/{name}?v={hashlib.sha256(static(name)).hexdigest()[:12]}"


def render(name: str, **values: object) -> str:
    """Return one of ``templates/`` with every value escaped."""
    return _environment().get_template(name).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static_path"] = static_path
    return environment


def _source(name: str) -> str:
    return files("relay.console").joinpath("templates", name).read_text(encoding="utf-8")
