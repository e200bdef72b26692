"""The bench measures what was asked for, and one figure that fails does not stop the next."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import orjson
import pytest

from bench import __main__ as program
from bench.catalogue import FIGURES, Entry
from bench.figures import Figure, Target
from bench.job import Job

TARGET = Target(limit=1, unit="x")


async def works(job: Job) -> Figure:
    job.say("half way")
    return Figure(name="E1", what="one", value=float(job.sizes.runs), target=TARGET)


async def fails(_: Job) -> Figure:
    raise ValueError("no relay")


async def hangs(_: Job) -> Figure:
    await asyncio.sleep(60)
    raise AssertionError


def entries(**measures: object) -> dict[str, Entry]:
    return {name: Entry(measure, TARGET, name, 6.0) for name, measure in measures.items()}  # type: ignore[arg-type]


def test_all_that_works_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The failure is in its figure's place, the file is written, and the exit code says that not all was measured."""
    monkeypatch.setattr(program, "FIGURES", entries(E2=fails, E1=works))
    output = tmp_path / "out" / "r.json"
    code = program.main(["--runs", "7", "--output", str(output)])
    found = orjson.loads(output.read_bytes())
    said = capsys.readouterr().out

    assert code == 1
    assert found["figures"]["E1"]["value"] == 7
    assert found["figures"]["E2"]["beside"] == {"error": "ValueError: no relay"}
    assert (found["runs"], found["quick"], found["peers"]) == (7, False, {})
    assert {"load_at_begin", "load_at_end", "kernel"} <= found["machine"].keys()
    assert "half way" in said


def test_the_whole_run_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What takes too long is given up, and what is not begun by then says why."""
    monkeypatch.setattr(program, "FIGURES", entries(E1=hangs, E2=works))
    monkeypatch.setattr(program, "_LEAST", 0.05)
    output = tmp_path / "r.json"
    code = program.main(["--minutes", "0.003", "--output", str(output)])
    figures = orjson.loads(output.read_bytes())["figures"]

    assert code == 1
    assert figures["E1"]["beside"]["error"].startswith("TimeoutError")
    assert "--minutes" in figures["E2"]["beside"]["error"]


def test_the_server_is_named_once_for_all() -> None:
    """By the first figure that looked; none is no error."""
    looked = Figure(name="E1", what="x", value=1, target=TARGET, beside={"server": "Valkey 9.1.2", "aof": "always"})

    assert program.server_of([Figure(name="E0", what="x", value=1, target=TARGET), looked]) == looked.beside
    assert program.server_of([]) == {}


def test_an_unknown_figure_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The names that there are can be read in the help."""
    with pytest.raises(SystemExit):
        program._arguments(["E99"])

    assert "E99" in capsys.readouterr().err
    assert isinstance(program._arguments(list(FIGURES)), argparse.Namespace)
