"""The image and docker-compose.yml for real: built, run read-only without root, hurt, stopped.  By hand, for it takes minutes.

    CHAPAR_CONTAINERS=1 .venv/bin/pytest tests/acceptance/test_containers.py -s

What the machine needs beyond a registry is said by variables: ``CHAPAR_BUILD`` holds further words for the build (a base
of your own, mounts, isolation), ``CHAPAR_IMAGE`` names an image that is built already, ``CHAPAR_VALKEY_IMAGE`` and
``CHAPAR_VALKEY_USER`` another Valkey.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.acceptance.agency_side import Agency, alert
from tests.acceptance.judge import judge
from tests.acceptance.relay_side import ROOT, Relay, free_port, send, until

PEOPLE = 2_000
PROJECT = "chapar-test"
SERVICES = ("relay", "worker-1", "worker-2", "valkey")
TOOL = next((tool for tool in ("podman", "docker") if shutil.which(tool)), "")
COMPOSE = ["podman-compose"] if TOOL == "podman" else ["docker", "compose"]

_OVERRIDE = """
services:
{services}
"""
_SERVICE = """
  {name}:
    environment:
      RELAY_CHANNELS__SMS__ADAPTER: console
      RELAY_CHANNELS__SMS__RATE: "200"
      RELAY_CHANNELS__SMS__SETTINGS: '{{"kind": "sms", "path": "/data/sent", "verdict": "delivered"}}'
"""

pytestmark = [
    pytest.mark.skipif("CHAPAR_CONTAINERS" not in os.environ, reason="takes minutes: asked for by CHAPAR_CONTAINERS=1"),
    pytest.mark.skipif(not TOOL, reason="neither podman nor docker is on this machine"),
    pytest.mark.timeout(900),
]


def tool(*words: str, check: bool = True) -> str:
    """Run the container tool and return what it said."""
    done = subprocess.run([TOOL, *words], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0 or not check, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Stack:
    """The four containers."""

    def __init__(self, folder: Path, image: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        override = folder / "override.yml"
        services = "".join(_SERVICE.format(name=name) for name in ("relay", "worker-1", "worker-2"))
        override.write_text(_OVERRIDE.format(services=services))
        self._files = ["-p", PROJECT, "-f", str(ROOT / "docker-compose.yml"), "-f", str(override)]
        self._env = {**os.environ, "CHAPAR_IMAGE": image, "CHAPAR_PORT": str(self.port)}

    def compose(self, *words: str) -> str:
        """Run the compose tool."""
        done = subprocess.run(
            [*COMPOSE, *self._files, *words], env=self._env, capture_output=True, text=True, check=False, timeout=300
        )
        return done.stdout + done.stderr

    @staticmethod
    def name(service: str) -> str:
        """Return the container of a service; the tools differ in one character."""
        names = tool("ps", "-a", "--format", "{{.Names}}").split()
        return next(n for n in names if n in (f"{PROJECT}_{service}_1", f"{PROJECT}-{service}-1"))

    def state(self, service: str) -> dict[str, Any]:
        """Return what the tool knows of a container's life."""
        found: list[dict[str, Any]] = json.loads(tool("inspect", self.name(service)))
        return found[0]["State"]  # type: ignore[no-any-return]

    def healthy(self, service: str) -> bool:
        """Run the health check of a service."""
        if TOOL == "podman":
            return (
                subprocess.run(
                    [TOOL, "healthcheck", "run", self.name(service)], capture_output=True, check=False
                ).returncode
                == 0
            )
        return bool(self.state(service)["Health"]["Status"] == "healthy")

    @property
    def key(self) -> str:
        return tool("exec", self.name("relay"), "cat", "/data/admin.key").strip()

    def sent(self, folder: Path) -> list[Path]:
        """Copy out what each worker's console channel wrote."""
        files = [folder / f"{service}.sent" for service in ("worker-1", "worker-2")]
        for file in files:
            file.write_text(tool("exec", self.name(file.stem), "cat", "/data/sent"))
        return files


@pytest.fixture(scope="module")
def image() -> str:
    """The image of this tree."""
    if name := os.environ.get("CHAPAR_IMAGE"):
        return name
    words = shlex.split(os.environ.get("CHAPAR_BUILD", ""))
    tool("build", *(["--format", "docker"] if TOOL == "podman" else []), *words, "-t", "localhost/chapar", str(ROOT))
    return "localhost/chapar"


@pytest.fixture
def stack(tmp_path: Path, image: str) -> Iterator[Stack]:
    made = Stack(tmp_path, image)
    said = made.compose("up", "-d", "--no-build")
    yield made
    print(said[-2000:])
    for service in SERVICES:
        print(f"{service}:\n{tool('logs', made.name(service), check=False)[-1500:]}")
    made.compose("down", "-v")


def test_image_is_small_and_without_root(image: str) -> None:
    """A user without rights, no shell history of secrets, a size that a thin line can carry."""
    facts = json.loads(tool("image", "inspect", image))[0]
    print(f"{image}: {facts['Size'] / 1e6:.0f} MB")

    assert facts["Config"]["User"] == "10001:10001"
    assert facts["Size"] < 400e6
    assert facts["Config"].get("Healthcheck") or facts.get("HealthCheck") or facts.get("Healthcheck")


async def test_compose_delivers_survives_a_kill_and_stops(stack: Stack, tmp_path: Path) -> None:
    """One API, two workers, one Valkey: all are healthy, a killed worker is replaced, nobody is lost, all end with 0."""

    async def all_healthy() -> bool:
        return all(stack.healthy(service) for service in SERVICES)

    await until(all_healthy, within=90, why="all four are healthy")
    async with Agency(cast("Relay", stack)) as agency:
        await agency.people(PEOPLE)

        async def two() -> bool:
            return len((await agency.status())["workers"]) == 2

        await until(two, within=30, why="both workers are heard")
        ids = {1: (await agency.post(alert(1))).body["id"]}
        written = await until(
            lambda: tool("exec", stack.name("worker-1"), "cat", "/data/sent", check=False), within=20, why="it sends"
        )
        victim = int(stack.state("worker-1")["Pid"])
        send(victim, signal.SIGKILL)
        await until(lambda: stack.state("worker-1")["Pid"] not in (0, victim), within=30, why="it is started again")
        await agency.completed(ids[1], within=90)
        found = await judge(agency, ids, stack.sent(tmp_path), people=PEOPLE, kinds=("sms",))
    print(f"killed after {len(written.splitlines())}; {found}")

    assert found.kept, found
    for service in ("worker-1", "worker-2", "relay", "valkey"):
        await asyncio.to_thread(tool, "stop", stack.name(service))
        assert stack.state(service)["ExitCode"] == 0, service
