"""``python -m bench``: real processes from end to end, at sizes that say whether it works and not how fast it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson

FEW = 200  # recipients; the figures themselves need a thousand times as many


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *words], capture_output=True, text=True, timeout=110, check=False
    )


def test_figures_are_measured_and_written(tmp_path: Path) -> None:
    """Figures come from real processes, people read them as a table, and the file has the shape of design §17."""
    result = tmp_path / "results" / "quick.json"
    done = bench("E1", "E5", "--quick", "--runs", "1", "--recipients", str(FEW), "--output", str(result))

    assert done.returncode == 0, done.stdout + done.stderr
    written = orjson.loads(result.read_bytes())
    assert written["quick"] is True
    assert list(written["figures"]) == ["E1", "E5"]
    for name, figure in written["figures"].items():
        assert {"value", "target", "ok", "unit", "beside"} <= figure.keys()
        assert figure["value"] >= 0
        assert isinstance(figure["ok"], bool)
        assert f"{name}  " in done.stdout
        assert figure["target"] in done.stdout


def test_unknown_figure_is_refused() -> None:
    """A slip of the finger does not start an hour of measuring."""
    done = bench("E99")

    assert done.returncode == 2
    assert "E99" in done.stderr
