"""The page and the table say what the results say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.chaos.__main__ import main
from tests.chaos.campaign import document, line, table
from tests.chaos.judge import judge
from tests.chaos.rounds import Result, Round
from tests.unit.chaos.histories import Story, cancelled
from tests.unit.chaos.test_judge import forgets_one_person


def result(story: Story, *, seed: int) -> Result:
    story.fault("kill", "worker", begin=20, end=21)
    return Result(round=Round(seed=seed), verdict=judge(story.history), took=30.0, drain=2.0, folder=Path("logs"))


def test_the_page_is_made_of_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the JSON alone: sums, checks, faults, rounds, and how to repeat what went wrong."""
    results = [result(cancelled(), seed=1), result(forgets_one_person(), seed=2)]
    (tmp_path / "results.json").write_text(json.dumps(document(results)))
    code = main(["--results", str(tmp_path / "results.json"), "--report", str(tmp_path / "page.md")])
    page = (tmp_path / "page.md").read_text()

    assert code == 0
    assert capsys.readouterr().out == ""
    assert "**The judge was not content.**" in page
    assert "| C1 lost |" in page
    assert "| worker | kill 2 |" in page
    assert "./run chaos --seed 2 --rounds 1 --topology private" in page
    assert "./run chaos --seed 1 " not in page


def test_the_table_names_what_failed() -> None:
    """A person sees at once what was broken, and the command that repeats it."""
    good, bad = result(cancelled(), seed=1), result(forgets_one_person(), seed=2)

    assert "C1   lost                      1" in table([good, bad])
    assert "again: ./run chaos --seed 2 --rounds 1 --topology private" in table([good, bad])
    assert "content; 2 alerts, 8 deliveries" in line(good)
    assert "NOT CONTENT {'C1': 1}" in line(bad)
