"""``relay demo`` as a newcomer runs it: once to the end, once until Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.timeout(200), pytest.mark.xdist_group("demo")]

DEMO = (sys.executable, "-m", "relay", "demo")
LONGEST = 150  # seconds; it takes 20 to 30 alone on two cores, more beside other tests


@pytest.fixture
def environment() -> dict[str, str]:
    """An environment whose settings would lead the demo elsewhere if it took them."""
    return {**os.environ, "RELAY_DATA_DIR": "/nowhere", "RELAY_REDIS__URL": "redis://127.0.0.1:9", "NO_COLOR": "1"}


def left_over(folder: Path) -> list[str]:
    """Return the command lines of all processes that have to do with ``folder``."""
    return [words for words in command_lines() if str(folder) in words]


def command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look for processes that were left")
def test_demo(tmp_path: Path, environment: dict[str, str]) -> None:
    """Seven scenes are as promised, what arrived is shown in the readers' languages, and nothing is left running."""
    done = subprocess.run(
        DEMO, cwd=tmp_path, env=environment, capture_output=True, timeout=LONGEST, text=True, check=False
    )
    said = done.stdout
    log = tmp_path / "var/demo/relay.log"
    told = f"{said}\n{done.stderr}\n{log.read_text(errors='replace')[-4000:] if log.exists() else 'no log'}"

    assert done.returncode == 0, told
    assert [int(n) for n in re.findall(r"(?m)^(\d)  \S", said)] == [1, 2, 3, 4, 5, 6, 7], told
    assert said.count("   ✓ ") == 7, told
    assert "All 7 did what they promise" in said
    for shown in ("14 deliveries: 2 acknowledged", "ЖЕР СІЛКІНІСІ", "ЗЕМЛЕТРЯСЕНИЕ", "УЧЕНИЯ", "CAP-031"):
        assert shown in said, told
    assert done.stderr == ""
    assert "City hospital 4" in (tmp_path / "var/demo/report.html").read_text(encoding="utf-8")
    assert left_over(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look for processes that were left")
def test_ctrl_c(tmp_path: Path, environment: dict[str, str]) -> None:
    """Ctrl-C in the middle ends everything that was started, with one sentence and no traceback."""
    with subprocess.Popen(
        DEMO, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("1  "):
                break
        time.sleep(0.5)  # wherever it is now
        demo.send_signal(signal.SIGINT)
        said, complaints = demo.communicate(timeout=60)

    assert demo.returncode == 1, complaints
    assert "Everything that was started is stopped." in said
    assert "Traceback" not in complaints
    assert left_over(tmp_path) == []
