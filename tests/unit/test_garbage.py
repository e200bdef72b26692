"""Garbage is still found, only more seldom."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from relay.garbage import YOUNG, none, seldom


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class _Ring:
    """An object that holds itself."""

    def __init__(self) -> None:
        self.me = self


def test_what_exists_is_left_alone() -> None:
    """What was there at the start is never looked through again."""
    seldom()

    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[0] == YOUNG


def test_rings_are_found_by_themselves() -> None:
    """Objects that hold each other go when enough others have come; nobody needs to ask."""
    seldom()
    gone = weakref.ref(_Ring())
    kept = [[number] for number in range(2 * YOUNG)]

    assert gone() is None
    assert len(kept) == 2 * YOUNG


def test_nothing_is_looked_for_meanwhile() -> None:
    """While much is imported nothing is looked for, and afterwards it is again, whatever happened."""
    with none():
        during = gc.isenabled()
    with pytest.raises(RuntimeError), none():
        raise RuntimeError

    assert not during
    assert gc.isenabled()


def test_a_start_does_not_look_for_any() -> None:
    """A look at everything that was imported would be a tenth of the time until the first alert is accepted."""
    looks: list[str] = []
    gc.callbacks.append(note := lambda phase, _: looks.append(phase))
    try:
        with none():
            made = [_Ring() for _ in range(YOUNG)]
        seldom()
    finally:
        gc.callbacks.remove(note)

    assert looks == []
    assert gc.get_freeze_count() > len(made)
