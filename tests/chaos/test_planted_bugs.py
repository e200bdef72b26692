"""Each planted bug is seen by the judge: as ``./run chaos --mutants``, for who prefers ``pytest -m chaos tests/chaos``."""

from __future__ import annotations

import pytest

from tests.chaos.mutants import one
from tests.chaos.planted import MUTANTS, Mutant


@pytest.mark.chaos
@pytest.mark.timeout(240)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
async def test_a_planted_bug_is_seen(mutant: Mutant) -> None:
    """A relay with this bug, and what provokes it, does not pass."""
    found = await one(mutant, print)

    assert found.caught, found.result.verdict.findings
