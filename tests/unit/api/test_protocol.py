"""How many connections there may be."""

from __future__ import annotations

from relay.api.protocol import Connections


def test_one_address_is_bounded() -> None:
    """An address that has its share is refused; others are not."""
    connections = Connections(most=10, per_address=2)

    assert [connections.enter("a") for _ in range(3)] == [True, True, False]
    assert connections.enter("b")


def test_all_together_are_bounded() -> None:
    """The bound of all holds for newcomers too."""
    connections = Connections(most=2, per_address=2)
    connections.enter("a")
    connections.enter("b")

    assert not connections.enter("c")


def test_who_leaves_makes_room() -> None:
    """A closed connection can be opened again, as often as one likes."""
    connections = Connections(most=1, per_address=1)
    for _ in range(3):
        assert connections.enter("a")
        connections.leave("a")
