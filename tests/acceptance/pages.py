"""Documents as scripts: the commands of a page run in one shell, what it shows is looked for in what they say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.acceptance.relay_side import ROOT, free_port

_BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_PLACE = "127.0.0.1:8080"
_LONGEST = 60  # seconds for a whole page
_DONE = "-- that was it, with "

#: What differs from run to run; ``…`` stands for anything.
_VARIES = "|".join(
    (
        r"…",
        r"\b[a-z2-7]{26}\b",  # an alert's id
        r"\b[a-z2-7]{13}-\d+\b",  # a delivery's id
        r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)",
        r"\burn:chapar:request:[0-9a-f]{12}\b",
    )
)


@dataclass(frozen=True, slots=True)
class Step:
    """The commands of one block, and the lines that the page shows for them."""

    commands: str
    shown: tuple[str, ...] = ()


def steps(text: str) -> list[Step]:
    """Return the steps of a page: each ``sh`` block, with the block of another kind that follows it."""
    found: list[Step] = []
    for match in _BLOCK.finditer(text):
        if match["kind"] == "sh":
            found.append(Step(match["text"]))
        elif found and not found[-1].shown:
            lines = tuple(line for line in match["text"].splitlines() if line.strip("… "))
            found[-1] = Step(found[-1].commands, lines)
    return found


def section(text: str, title: str) -> str:
    """Return the part of a page under one heading of the second level."""
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match is not None, f"no heading “{title}”"
    return match[1]


def missing(step: Step, said: str) -> list[str]:
    """Return the shown lines that ``said`` does not have, ids and times aside."""
    return [line for line in step.shown if not re.search(_pattern(line), said)]


def _pattern(line: str) -> str:
    parts = re.split(f"({_VARIES})", line)
    return "".join(".*?" if re.fullmatch(_VARIES, part) else re.escape(part) for part in parts)


class Reader:
    """Somebody who types pages into a terminal, in a folder that holds the documents and ``run`` but no data."""

    def __init__(self, folder: Path) -> None:
        """Lay the folder out."""
        self._folder = folder
        self._port = free_port()
        self._relay: subprocess.Popen[str] | None = None
        for name in ("docs", "config"):
            shutil.copytree(ROOT / name, folder / name)
        # The real one first makes a virtual environment; what it then calls is this.
        run = folder / "run"
        words = f'#!/bin/sh\n[ "$1" = serve ] || shift\nexec {shlex.quote(sys.executable)} -m relay "$@"\n'
        run.write_text(words, encoding="utf-8")
        run.chmod(0o755)

    def __enter__(self) -> Self:
        """Open the shell."""
        self._shell = self._open(["timeout", str(_LONGEST), "sh"], stdout=subprocess.PIPE)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """End what was started; what the relay logged is shown by pytest for a test that failed."""
        for process in (self._shell, self._relay):
            if process is not None:
                process.terminate()
                process.communicate(timeout=30)
        print("\n".join(path.read_text(encoding="utf-8") for path in self._folder.glob("serve.*")))

    def read(self, text: str) -> dict[str, list[str]]:
        """Run the steps of a page in order; return for each that went wrong the shown lines that it did not say."""
        wrong: dict[str, list[str]] = {}
        for step in steps(text.replace(_PLACE, f"127.0.0.1:{self._port}")):
            begins = step.commands.startswith("./run serve")
            said = self._serve(step.commands) if begins else self._type(step.commands)
            lacks = missing(step, said)
            if lacks:
                wrong[step.commands] = [*lacks, f"it said: {said}"]
        return wrong

    def _serve(self, command: str) -> str:
        """Start the relay as in a terminal of its own; return what it says, once a worker knows the directory."""
        said, logged = self._folder / "serve.out", self._folder / "serve.err"
        with said.open("w") as stdout, logged.open("w") as stderr:
            self._relay = self._open(shlex.split(command), stdout=stdout.fileno(), stderr=stderr.fileno())
        deadline = time.monotonic() + 30
        while "index_loaded" not in logged.read_text(encoding="utf-8"):
            assert self._relay.poll() is None, logged.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "no worker came to life"
            time.sleep(0.05)
        return said.read_text(encoding="utf-8")

    def _type(self, commands: str) -> str:
        """Type commands into the shell, whose variables last; return all that they say, a failure as its exit code."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{commands}\nprintf '\\n{_DONE}%s\\n' \"$?\"\n")
        self._shell.stdin.flush()
        said: list[str] = []
        for line in self._shell.stdout:
            if line.startswith(_DONE):
                assert line == f"{_DONE}0\n", f"{line}{commands}{''.join(said)}"
                return "".join(said)
            said.append(line)
        raise AssertionError(f"the shell ended at: {commands}{''.join(said)}")

    def _open(self, words: list[str], *, stdout: int, stderr: int = subprocess.STDOUT) -> subprocess.Popen[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("RELAY_")}
        env |= {
            "RELAY_API__PORT": str(self._port),
            "PYTHONPATH": str(ROOT),
            "no_proxy": "127.0.0.1",
            "LC_ALL": "C.UTF-8",
        }
        return subprocess.Popen(
            words,
            cwd=self._folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            text=True,
            encoding="utf-8",
        )
