"""The planted bugs fit the tree that they are planted in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.mutants import DoesNotFitError, planted, round_of
from tests.chaos.planted import MUTANTS, Mutant
from tests.chaos.verdict import CHECKS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_fits(mutant: Mutant) -> None:
    """Each line that it changes is there once; if you changed the line, say in tests/chaos/planted.py what it is now."""
    texts = {path: Path(path).read_text(encoding="utf-8") for path, _, _ in mutant.edits}
    before = dict(texts)

    assert planted(mutant, texts) != before
    for path, text in texts.items():
        if path.endswith(".py"):
            compile(text, path, "exec")


def test_there_are_enough_and_each_has_its_check() -> None:
    """At least twelve, with names of their own, each seen by a check that exists."""
    assert len(MUTANTS) >= 12
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert all(mutant.seen <= set(CHECKS) and mutant.seen for mutant in MUTANTS)
    assert all(round_of(mutant).faults == mutant.faults for mutant in MUTANTS)


def test_a_line_that_is_gone_is_said() -> None:
    """A bug that cannot be planted is an error, not a bug that nobody sees."""
    gone = Mutant(name="gone", says="", edits=(("README.md", "no such line anywhere", ""),), seen=frozenset({"C1"}))
    with pytest.raises(DoesNotFitError):
        planted(gone, {"README.md": "text"})
