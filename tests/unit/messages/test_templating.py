"""The built-in HTML."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from relay.messages.templating import environment, page, source


def test_values_are_escaped() -> None:
    """Whatever an alert holds is text in a page, never markup or a template."""
    shown = environment().from_string('<p title="{{ x }}">{{ x }}</p>').render(x='<b>"{{ 7*7 }}')

    assert shown == '<p title="&lt;b&gt;&#34;{{ 7*7 }}">&lt;b&gt;&#34;{{ 7*7 }}</p>'


def test_a_missing_value_is_a_mistake() -> None:
    """A template that names something unknown fails in a test, not at 3 a.m. with an empty line."""
    with pytest.raises(UndefinedError):
        page("unknown.html", style="")


@pytest.mark.parametrize("name", ["ack.html", "mail.html", "unknown.html"])
def test_nothing_is_loaded_from_elsewhere(name: str) -> None:
    """No script, image, font or foreign style in any page."""
    text = source(name).lower() + source("page.css").lower()

    assert not [
        word
        for word in ("<script", "src=", "url(", "@import", "<link", "http://", "https://", "|safe", "| safe")
        if word in text
    ]
