"""A worker that has nothing to do asks for next to nothing: neither processor nor Redis."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.agency_side import Agency, alert
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.operators_server import Server
from tests.acceptance.relay_side import until

#: Longer by hand: the commands of 20 seconds say more than those of 5.
SECONDS = float(os.environ.get("CHAPAR_IDLE_SECONDS", "5"))


def cpu(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.xdist_group("heavy")
async def test_idle_worker_costs_next_to_nothing(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], server: Server
) -> None:
    """At rest one worker runs at most 5 commands a second in Redis, those inside scripts included, and 1 % of a core."""
    api = make_relay("api", channels={"console": console()}, redis={"url": server.url})
    worker = make_relay(
        "worker", channels={"console": console()}, redis={"url": server.url}, engine={"lease": 10.0, "lease_flash": 5.0}
    )
    api.begin("--role", "api")
    await api.listening()
    worker.begin("--role", "worker")
    async with Agency(api) as agency:
        await agency.people(20)

        async def ready() -> bool:
            return [w["recipients"] for w in await server.workers()] == [20]

        await until(ready, within=30, why="the worker knows everybody")
    assert await api.stop() == 0
    await asyncio.sleep(1)
    await server.reset_commands()
    began = cpu(worker.pid)
    await asyncio.sleep(SECONDS)
    used = (cpu(worker.pid) - began) / SECONDS
    commands = await server.commands()
    print(f"cpu {used:.2%} of a core; {sum(commands.values()) / SECONDS:.2f} commands/s: {commands}")

    assert sum(commands.values()) / SECONDS <= 5, commands
    assert used <= 0.01


@pytest.mark.xdist_group("heavy")
async def test_one_small_alert_wakes_no_herd(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], server: Server
) -> None:
    """Of three idle workers, one plans and one or two claim; the others sleep on, and the alert does not wait for them."""
    relay = make_relay(
        channels={"console": console()}, redis={"url": server.url}, engine={"lease": 10.0, "lease_flash": 5.0}
    )
    relay.begin("--workers", "3")
    await relay.listening()
    async with Agency(relay) as agency:
        await agency.people(5)

        async def ready() -> bool:
            return [w["recipients"] for w in await server.workers()] == [5, 5, 5]

        await until(ready, within=30, why="all three know everybody")
        await asyncio.sleep(1)
        claims: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(server.watch(claims))
            await asyncio.sleep(0.2)
            posted = await agency.post(alert(1))
            document = await agency.completed(posted.body["id"], within=10)
            await asyncio.sleep(0.5)
            watching.cancel()
    print(f"{len(claims)} claims")

    assert document["counts"] == {"delivered": 5}
    assert 1 <= len(claims) <= 6
