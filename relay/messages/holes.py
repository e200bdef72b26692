"""The personal places of a message: how long they can become, and how their values are written.

A message is rendered once for all its readers, so what it costs is counted with every hole at its longest.
"""

from __future__ import annotations

import json

from relay.adapter import Hole, Template

LONGEST = {
    Hole.DELIVERY_ID: 48,  # leg id and rank as text
    Hole.RECIPIENT: 128,
    Hole.NAME: 128,
    Hole.ACK_URL: 64,  # "https://" + a host name of 25 + "/a/" + a token of 28
    Hole.CAP_URL: 80,
    Hole.TIMESTAMP: 32,
}
"""The longest value of each hole, in characters; all of them are ASCII except the recipient's name."""


def at_longest(template: Template, *, ack_url: int = LONGEST[Hole.ACK_URL]) -> str:
    """Return the text of ``template`` with every hole at its longest; ``ack_url`` is the length of our own links."""
    lengths = {**LONGEST, Hole.ACK_URL: ack_url}
    return template.fill({hole: "x" * length for hole, length in lengths.items()})


def json_value(text: str) -> str:
    """Return ``text`` as it is written between the quotes of a JSON string (for the holes of ``Content.body``)."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def marker(hole: Hole) -> str:
    """Return what stands for ``hole`` while a page is being rendered.

    It is made of controls, which :mod:`relay.messages.clean` removes from every alert text: no alert can forge it.
    """
    return f"\x00{hole.value}\x00"


def template_of(text: str) -> Template:
    """Return ``text`` with its markers turned into holes."""
    holes = {hole.value: hole for hole in Hole}
    pieces = text.split("\x00")
    parts = [holes[piece] if index % 2 else piece for index, piece in enumerate(pieces)]
    return Template(tuple(part for part in parts if part))
