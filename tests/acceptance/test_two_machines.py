"""docs/two-machines.md, typed: a relay on one machine, workers on another, and a Redis with TLS between them."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.acceptance.agency_side import Agency, alert
from tests.acceptance.judge import judge, lines
from tests.acceptance.relay_side import ROOT, Relay, alive, free_port, send, until

PEOPLE = 1_000
_BLOCK = re.compile(r"^```\w+\n# machine (?P<machine>[12])(?:: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.M | re.S)
_HOST = "one.chapar.example"

pytestmark = [
    pytest.mark.skipif(
        shutil.which("redis-server") is None or shutil.which("openssl") is None,
        reason="no redis-server with TLS, or no openssl, on this machine",
    ),
]


class Machine:
    """A folder that is a machine to the page: its /etc/chapar, its /var/lib/chapar, and what runs there."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self.folder = folder
        self.etc, self.var = folder / "etc", folder / "var"
        for made in (self.etc, self.var / "valkey", folder / "bin"):
            made.mkdir(parents=True)
        self._ports = ports
        self._running: list[subprocess.Popen[bytes]] = []
        command = folder / "bin" / "relay"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m relay "$@"\n')
        command.chmod(0o755)
        copy = folder / "bin" / "scp"
        copy.write_text(
            f'#!/bin/sh\nshift\nexec cp $(echo "$@" | sed "s|{_HOST}:{self.etc}|{folder.parent / "one/etc"}|g")\n'
        )
        copy.chmod(0o755)

    def here(self, text: str) -> str:
        """Return a text of the page as it reads on this machine."""
        text = text.replace("/etc/chapar", str(self.etc)).replace("/var/lib/chapar", str(self.var))
        text = text.replace(f"DNS:{_HOST}", "IP:127.0.0.1").replace(
            f"{_HOST}:6390", f"127.0.0.1:{self._ports['redis']}"
        )
        text = text.replace("tls-port 6390", f"tls-port {self._ports['redis']}")
        return text.replace("port = 8080", f"port = {self._ports['api']}")

    def type(self, commands: str) -> str:
        """Run commands and return what they said."""
        done = subprocess.run(
            ["sh", "-e"],
            input=self.here(commands),
            env=self._env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def begin(self, command: str) -> subprocess.Popen[bytes]:
        """Start what a page leaves running."""
        with (self.folder / "said").open("ab") as said:
            words = ["sh", "-c", f"exec {self.here(command)}"]
            self._running.append(subprocess.Popen(words, env=self._env, stdout=said, stderr=said))
        return self._running[-1]

    @property
    def said(self) -> str:
        """Everything that ran here has said."""
        return (self.folder / "said").read_text(errors="replace")

    @property
    def _env(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("RELAY_")}
        return env | {"PATH": f"{self.folder / 'bin'}:{env['PATH']}", "PYTHONPATH": str(ROOT)}

    def end(self) -> None:
        """TERM to everything, the newest first; KILL to what does not listen."""
        for process in reversed(self._running):
            process.terminate()
            try:
                process.wait(25)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Page:
    """The page, block by block."""

    def __init__(self, machines: dict[str, Machine]) -> None:
        self._machines = machines
        self.serving: dict[str, subprocess.Popen[bytes]] = {}

    def read(self, text: str) -> None:
        """Write its files and type its commands, in order."""
        for block in _BLOCK.finditer(text):
            machine = self._machines[block["machine"]]
            if block["file"]:
                Path(machine.here(block["file"])).write_text(machine.here(block["text"]))
                if block["file"].endswith("valkey.conf"):
                    machine.begin("redis-server /etc/chapar/valkey.conf")
            elif " serve" in block["text"]:
                *first, serve = block["text"].splitlines()
                machine.type("\n".join(first))
                self.serving[block["machine"]] = machine.begin(serve)
            else:
                machine.type(block["text"])
                if "scp" in block["text"]:
                    self._at_home(machine)

    def _at_home(self, machine: Machine) -> None:
        """On real machines the folders have the same names."""
        one = self._machines["1"]
        for file in machine.etc.iterdir():
            text = file.read_text().replace(str(one.etc), str(machine.etc)).replace(str(one.var), str(machine.var))
            file.write_text(text)


class Serving:
    """What an agency has to know of machine 1."""

    def __init__(self, machine: Machine, port: int) -> None:
        self._machine = machine
        self.url = f"http://127.0.0.1:{port}"

    @property
    def key(self) -> str:
        return (self._machine.var / "admin.key").read_text().strip()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[dict[str, Machine]]:
    ports = {"redis": free_port(), "api": free_port()}
    made = {"1": Machine(tmp_path / "one", ports), "2": Machine(tmp_path / "two", ports)}
    yield made
    for machine in (made["2"], made["1"]):
        machine.end()
        print(f"{machine.folder}:\n{machine.said[-4000:]}")


async def test_page_of_two_machines(machines: dict[str, Machine]) -> None:
    """As typed, both machines send, nobody is told twice, links of machine 2 work, and who does not fit is told why."""
    one, two = machines["1"], machines["2"]
    page = Page(machines)
    await asyncio.to_thread(page.read, (ROOT / "docs" / "two-machines.md").read_text())
    serving = Serving(one, one._ports["api"])
    await until(lambda: "sign in" in one.said, within=30, why="machine 1 listens")
    async with Agency(cast("Relay", serving)) as agency:
        await agency.people(PEOPLE)

        async def three() -> bool:
            return len((await agency.status())["workers"]) == 3

        await until(three, within=30, why="three workers are heard")
        sent, ids = [one.var / "sent", two.var / "sent"], dict[int, str]()
        while not ids or (min(map(lines, sent)) == 0 and len(ids) < 20):
            ids[len(ids)] = (await agency.post(alert(len(ids)))).body["id"]
            await agency.completed(ids[len(ids) - 1], within=60)
        found = await judge(agency, ids, sent, people=PEOPLE, kinds=("sms",))
        share = [lines(file) for file in sent]
        linked = await _open_link(agency, two.var / "sent")

    assert found.once, found
    assert min(share) > 0, share
    assert linked == 200
    assert await _ended(page.serving["2"]) == 0
    await _misfits(two)


async def _open_link(agency: Agency, sent: Path) -> int:
    """Open the link of a message that machine 2 sent, at the API of machine 1; returns the status."""
    match = re.search(r"https://warn\.example(/a/[a-z0-9]+)", sent.read_text())
    assert match is not None
    answer = await agency._http.get(agency._relay.url + match[1])
    return answer.status


async def _ended(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return int(await asyncio.to_thread(process.wait, 25))


async def _misfits(two: Machine) -> None:
    """Another secret: one sentence, and no worker.  What else may differ is in tests/unit/test_deployment.py."""
    (two.var / "ack.secret").write_text("f" * 64)
    assert "links in messages sent from here would not work" in await _refused(two)


async def _refused(two: Machine) -> str:
    before = len(two.said)
    process = two.begin("relay --config /etc/chapar/relay.toml serve --role worker")
    code: Any = await asyncio.to_thread(process.wait, 25)
    assert code == 1, two.said[before:]
    assert not alive(process.pid)
    send(process.pid, signal.SIGTERM)
    return two.said[before:]
