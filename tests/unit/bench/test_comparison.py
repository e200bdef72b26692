"""Peers are compared as often as they ran, and left out with a word when they did not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.figures import Figure, Target
from bench.peers.comparison import PEERS, Took, beside, missing_of, shown

E1 = Figure(
    name="E1",
    what="engine",
    value=90_000,
    target=Target(limit=80_000, unit="deliveries/s"),
    beside={"per_second_from_202_to_completed": {"median": 88_000}},
)
BULLMQ, ARQ, CELERY = PEERS


def rates(per_second: float) -> dict[str, object]:
    return {"per_second": {"min": 1, "median": per_second, "max": 99_999, "runs": 3}}


def test_a_rate_is_from_the_first_job_added_to_the_last_result() -> None:
    """Both halves count; each is also shown by itself."""
    told = shown([Took(1000, 0.5, 1.5), Took(1000, 1.0, 1.0), Took(1000, 1.0, 3.0)])

    assert told["per_second"] == {"min": 250, "median": 500, "max": 500, "runs": 3}
    assert (told["added_per_second"], told["processed_per_second"]) == (1000, pytest.approx(1000 / 1.5))


def test_e1_shows_how_often_it_does_what_each_peer_does() -> None:
    """The design's ratios are judged with E1; one that is missed makes E1 missed."""
    good = beside(E1, {"bullmq": rates(11_000), "arq": rates(2_200), "celery": rates(880)})
    bad = beside(E1, {"bullmq": rates(14_667)})

    assert (good.beside["times_bullmq"], good.beside["times_arq"], good.beside["times_celery"]) == (8, 40, 100)
    assert good.ok
    assert not bad.ok


def test_who_did_not_run_is_not_judged() -> None:
    """It is left out with a word; without any peer, E1 stays as it was."""
    told = beside(E1, {"bullmq": {"left_out": "no node"}})

    assert told.ok
    assert told.beside["bullmq_jobs"] == {"left_out": "no node"}
    assert beside(E1, {}) is E1
    assert beside(replace(E1, value=None), {"arq": rates(1)}).value is None


def test_a_peer_that_is_not_set_up_says_what_to_do(tmp_path: Path) -> None:
    """The word names the command."""
    assert "./run bench --peers" in missing_of(replace(ARQ, words=(str(tmp_path / "python"),)))
