"""The built-in HTML: Jinja2 with escaping on, for our own templates only (operators' texts never go through it)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined


def source(name: str) -> str:
    """Return the text of one of ``templates/``."""
    return files("relay.messages").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Return the environment; each template is read and compiled once."""
    return Environment(
        autoescape=True,
        loader=FunctionLoader(source),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(name: str, **values: object) -> str:
    """Return template ``name`` with every value escaped."""
    return environment().get_template(name).render(values)
