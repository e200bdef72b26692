"""The plug-in contract: a message is filled for one person, and never with what is another's."""

from __future__ import annotations

import pytest

from relay.adapter import Class, Content, Hole, Item, Template
from relay.testing.clocks import START

GREETING = Template(("Dear ", Hole.NAME, ": ", Hole.ACK_URL, " (", Hole.NAME, ")"))


def an_item(*, html: Template | None = None, body: Template | None = None) -> Item:
    content = Content(language="en", rtl=False, text=GREETING, html=html, body=body)
    return Item(
        delivery_id="leg-1",
        address="+77010000001",
        content=content,
        values={Hole.NAME: "Айжан", Hole.ACK_URL: "https://relay.example/a/x"},
        klass=Class.P1,
        expires=START,
    )


def test_holes_are_filled_wherever_they_stand() -> None:
    """A name may come twice, and stands as it is."""
    assert an_item().text == "Dear Айжан: https://relay.example/a/x (Айжан)"
    assert GREETING.holes == {Hole.NAME, Hole.ACK_URL}
    assert Template(("plain",)).holes == frozenset()


def test_value_that_looks_like_a_hole_is_text() -> None:
    """Nobody can write a name that is filled again."""
    assert Template((Hole.NAME,)).fill({Hole.NAME: "ack_url"}) == "ack_url"


def test_hole_without_a_value_is_an_error() -> None:
    """No message goes out with a gap in it."""
    with pytest.raises(KeyError):
        Template((Hole.CAP_URL,)).fill({})


def test_forms_that_a_kind_does_not_have_are_empty() -> None:
    """An SMS has no HTML and no document; a webhook's document is bytes."""
    document = Template(('{"name": "', Hole.NAME, '"}'))

    assert (an_item().html, an_item().body) == ("", b"")
    assert an_item(html=GREETING).html == an_item().text
    assert an_item(body=document).body == '{"name": "Айжан"}'.encode()
