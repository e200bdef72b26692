"""Which node has a slot, as ``CLUSTER SLOTS`` tells it."""

from relay.store.cluster import Slots
from relay.store.url import Address

ASKED = Address("10.0.0.9", 7000)


def test_slot_belongs_to_the_range_it_is_in() -> None:
    """Ranges come in any order, with the primary first and its replicas after it."""
    slots = Slots.of(
        [
            [5461, 10922, [b"10.0.0.2", 7001, b"id"], [b"10.0.0.5", 7004, b"id"]],
            [0, 5460, [b"10.0.0.1", 7000, b"id"]],
        ],
        ASKED,
    )

    assert slots.owner(0) == slots.owner(5460) == Address("10.0.0.1", 7000)
    assert slots.owner(5461) == slots.owner(10922) == Address("10.0.0.2", 7001)


def test_slot_that_nobody_has() -> None:
    """While a primary without a replica is dead its slots have no owner; the others keep theirs."""
    slots = Slots.of([[100, 200, [b"10.0.0.1", 7000, b"id"]]], ASKED)

    assert [slots.owner(slot) for slot in (99, 201)] == [None, None]
    assert slots.owner(150) is not None
    assert Slots((), (), ()).owner(0) is None


def test_node_that_does_not_know_its_own_name() -> None:
    """It leaves its host empty: it is where it was asked."""
    for unknown in (b"", None, b"?"):
        slots = Slots.of([[0, 16383, [unknown, 7000, b"id"]]], ASKED)

        assert slots.owner(1) == ASKED
