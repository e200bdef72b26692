"""The personal places of a message."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from relay.adapter import Hole, Template
from relay.messages.clean import line
from relay.messages.holes import LONGEST, at_longest, json_value, marker, template_of


def test_every_hole_has_a_longest() -> None:
    """No hole can be filled with more than was counted for."""
    assert set(LONGEST) == set(Hole)


def test_at_longest() -> None:
    """A link counts with its longest, or with the length of our own links."""
    template = Template(("Ответ: ", Hole.ACK_URL))

    assert len(at_longest(template)) == 7 + LONGEST[Hole.ACK_URL]
    assert len(at_longest(template, ack_url=40)) == 47


@given(st.text())
def test_json_value(text: str) -> None:
    """A value between quotes reads back as it was, whatever it holds."""
    assert json.loads(f'"{json_value(text)}"') == text


def test_markers_become_holes() -> None:
    """A rendered page has holes exactly where the markers were."""
    template = template_of(f'<a href="{marker(Hole.ACK_URL)}">x</a>{marker(Hole.NAME)}')

    assert template.parts == ('<a href="', Hole.ACK_URL, '">x</a>', Hole.NAME)


@given(st.sampled_from(list(Hole)))
def test_no_alert_can_forge_a_marker(hole: Hole) -> None:
    """Text of an alert loses what markers are made of."""
    assert template_of(line(f"a{marker(hole)}b")).holes == frozenset()
