"""When Python looks for garbage: seldom, for nearly everything is freed by itself, and what is not lives on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: So many more objects than before are looked through at a time: a millisecond, not after each accepted alert.
YOUNG = 20_000
_OLDER = 10
_OLDEST = 50


def seldom() -> None:
    """Leave what exists by now alone for good, and look through the rest seldom; called once the process is built.

    By default every few hundred objects are looked through, and all of a growing memory again and again: a fifth of the
    time that an accepted alert took, and pauses in the hundredth part of the answers.  What imports left lying about is
    under a megabyte, and to look for it would be a tenth of the time that a start takes.
    """
    gc.freeze()
    gc.set_threshold(YOUNG, _OLDER, _OLDEST)


@contextmanager
def none() -> Iterator[None]:
    """Do not look for garbage meanwhile, nor later in what came: it stays, and looking costs an eighth of the time."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
