"""A real relay in a process of its own, and the installed command line beside it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

_URL = re.compile(r"^relay\s+(http://\S+)$", re.MULTILINE)

CONFIG = """\
data_dir = "{folder}/data"
[api]
port = {port}
[channels.sms]
adapter = "console"
lanes = ["live", "drill"]
settings = {{ kind = "sms", path = "{folder}/sms.ndjson", verdict = "delivered" }}
"""


@dataclass(slots=True)
class RealRelay:
    """``python -m relay serve`` with one worker whose SMS go to a file."""

    folder: Path
    port: int
    process: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "relay.toml"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and return once it says where it listens and a worker beats."""
        self.config.write_text(CONFIG.format(folder=self.folder, port=self.port))
        with (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "relay", "--config", str(self.config), "serve"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment(),
            )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if _URL.match(line):
                break
        self.until(lambda: "workers 1" in self.run("status").stdout, within=40)

    def stop(self) -> int:
        """SIGTERM; return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=30)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()
        return code

    def run(self, *words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
        """Run one command with this relay's configuration."""
        done = subprocess.run(
            [sys.executable, "-m", "relay", *words, "--config", str(self.config)],
            capture_output=True,
            input=stdin,
            env=environment(),
            timeout=60,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def until(self, what: object, *, within: float) -> None:
        """Wait until ``what()`` is true."""
        assert callable(what)
        end = time.monotonic() + within
        while not what():
            assert time.monotonic() < end, (self.folder / "log").read_text()[-3000:]
            time.sleep(0.1)


def environment() -> dict[str, str]:
    """Return the environment without settings of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RELAY_")}
