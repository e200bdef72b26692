"""``relay demo`` as a newcomer runs it: once to the end and the status page, once until Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look for what was left running"),
]

DEMO = (sys.executable, "-m", "relay", "demo")
#: What the shell of a script does to that which it starts in the background.
IN_THE_BACKGROUND = ("/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh", *DEMO)
LONGEST = 150  # seconds; it takes 20 to 30 alone on two cores, more beside other tests


def left_over(folder: Path) -> list[str]:
    """Return the command lines of all processes that have to do with ``folder``."""
    return [words for words in command_lines() if str(folder) in words]


def command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo that is started by the test and never outlives it."""
    started = Demo(tmp_path)
    yield started
    started.end()


class Demo:
    """One run; what it says goes to files, so that it never waits for its reader."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str, command: Sequence[str] = DEMO) -> None:
        """Start it in a folder of its own, with settings around it that would lead it elsewhere if it took them."""
        strange = {"RELAY_DATA_DIR": "/nowhere", "RELAY_REDIS__URL": "redis://127.0.0.1:9"}
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            self.process = subprocess.Popen(
                (*command, *words), cwd=self.folder, env={**os.environ, **strange}, stdout=out, stderr=err
            )

    @property
    def said(self) -> str:
        """What it printed so far."""
        return (self.folder / "out").read_text(encoding="utf-8")

    def until(self, text: str) -> str:
        """Wait until it says ``text``, or ends, and return all that it said."""
        assert self.process is not None
        deadline = time.monotonic() + LONGEST
        while text not in self.said and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.said

    def interrupt(self) -> int:
        """Press Ctrl-C and return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)

    def end(self) -> None:
        """Kill it if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=10)

    def explained(self) -> str:
        """Return everything that helps to understand a failure."""
        log = self.folder / "var/demo/relay.log"
        parts = [self.folder / "out", self.folder / "err", log]
        return "\n".join(path.read_text(errors="replace")[-6000:] for path in parts if path.exists())


def test_demo(demo: Demo) -> None:
    """Seven scenes are as promised, the status page opens signed in, and Ctrl-C leaves nothing running."""
    demo.start("--stay")
    said = demo.until("Ctrl-C ends everything.")
    link = re.search(r"http://127\.0\.0\.1:\d+/status\?once=\S+", said)

    assert "All 7 did what they promise" in said, demo.explained()
    assert [int(n) for n in re.findall(r"(?m)^(\d)  \S", said)] == [1, 2, 3, 4, 5, 6, 7]
    assert said.count("   ✓ ") == 7
    for shown in ("14 deliveries: 2 acknowledged", "ЖЕР СІЛКІНІСІ", "ЗЕМЛЕТРЯСЕНИЕ", "УЧЕНИЯ", "CAP-031"):
        assert shown in said
    assert "City hospital 4" in (demo.folder / "var/demo/report.html").read_text(encoding="utf-8")
    assert link is not None, demo.explained()
    assert "Землетрясение" in page(link[0])
    assert demo.interrupt() == 0, demo.explained()
    assert (demo.folder / "err").read_text() == ""
    assert left_over(demo.folder) == []


def test_ctrl_c(demo: Demo) -> None:
    """Ctrl-C in the middle ends everything that was started, with one sentence and no traceback.

    A demo that a script has started in the background once did not hear it.
    """
    demo.start(command=IN_THE_BACKGROUND)
    demo.until("1  ")

    assert demo.interrupt() == 1
    assert "Everything that was started is stopped." in demo.said
    assert (demo.folder / "err").read_text() == ""
    assert left_over(demo.folder) == []


def page(link: str) -> str:
    """Open a link as a browser does, with cookies."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    browser.addheaders = [("Accept", "text/html")]
    with browser.open(link, timeout=20) as answer:
        return str(answer.read().decode())
