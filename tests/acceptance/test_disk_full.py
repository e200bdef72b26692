"""A full disk: no alert is promised that could be forgotten, nothing falls over, and space heals it."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.agency_side import Agency, alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge
from tests.acceptance.operators_server import Server
from tests.acceptance.relay_side import Relay, until

PEOPLE = 20
_DISK = "24m"


@pytest.fixture
def on_small_disk() -> Iterator[Callable[[Relay], Relay]]:
    """Return a function that puts a relay's data directory on a file system of a few megabytes."""
    mounted: list[str] = []

    def put(relay: Relay) -> Relay:
        relay.data_dir.mkdir(mode=0o700)
        mount = shutil.which("mount")
        if mount is None or os.geteuid() != 0:
            pytest.skip("only root can mount a small file system")
        words = [mount, "-t", "tmpfs", "-o", f"size={_DISK},mode=700", "tmpfs", str(relay.data_dir)]
        if subprocess.run(words, check=False, capture_output=True).returncode != 0:
            pytest.skip("this machine does not let us mount a small file system")
        mounted.append(str(relay.data_dir))
        return relay

    yield put
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _fill(folder: Path) -> Path:
    """Take the last byte of the disk."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    return filler


async def test_full_disk_is_a_503_and_never_a_false_202(
    make_relay: MakeRelay,
    console: Callable[..., dict[str, Any]],
    on_small_disk: Callable[[Relay], Relay],
    tmp_path: Path,
) -> None:
    """Refused with 503 and Retry-After while full; accepted, and delivered once, as soon as there is space."""
    relay = on_small_disk(make_relay(channels={"console": console()}))
    async with on_duty(relay, people=PEOPLE) as agency:
        ids = {0: (await agency.post(alert(0))).body["id"]}
        await agency.completed(ids[0], within=30)
        filler = _fill(relay.data_dir)
        number = 1
        # The last block of the journal has room for a few more; what is promised there must be kept.
        while (answer := await agency.post(alert(number))).status == 202:
            ids[number] = answer.body["id"]
            number += 1
            assert number < 50
        full = [answer, *[await agency.post(alert(number + more)) for more in range(1, 4)]]
        ready = await agency.ask("GET", "/readyz")
        # Long enough for every part of the relay to meet the full disk.
        await asyncio.sleep(1.5)
        processes = {process.role for process in relay.processes()}
        filler.unlink()

        async def taken() -> str:
            answer = await agency.post(alert(99))
            assert answer.status in (202, 503)
            return str(answer.body["id"]) if answer.status == 202 else ""

        ids[99] = await until(taken, within=20, why="there is space again")
        found = await judge(agency, ids, [tmp_path / "sms.sent"], people=PEOPLE, kinds=("sms",))

    assert {answer.status for answer in full} == {503}, [answer.body for answer in full]
    assert ready.status == 503
    assert {"serve", "worker", "redis"} <= processes
    assert found.once, found


async def test_full_disk_does_not_stop_the_directory(
    make_relay: MakeRelay,
    console: Callable[..., dict[str, Any]],
    on_small_disk: Callable[[Relay], Relay],
    server: Server,
) -> None:
    """With the operator's own Redis an import goes on, says that it is not durable, and is copied when there is space."""
    relay = on_small_disk(make_relay(channels={"console": console()}, redis={"url": server.url}))
    await relay.start()
    copy = relay.data_dir / "directory.ndjson"
    async with Agency(relay) as agency:
        await agency.people(PEOPLE)
        filler = _fill(relay.data_dir)
        await agency.people(PEOPLE * 10)
        living = {process.role for process in relay.processes()}
        filler.unlink()
        await until(lambda: copy.read_bytes().count(b'"id"') >= PEOPLE * 10, within=20, why="everybody is in the copy")
        server.kill()
        await server.start()
        await until(lambda: _knows(agency, PEOPLE * 10 - 1), within=20, why="the directory is back")

    assert living == {"serve", "worker"}


async def _knows(agency: Agency, number: int) -> bool:
    answer = await agency.ask("GET", f"/v1/recipients/person-{number}")
    return answer.status == 200
