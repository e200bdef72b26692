"""Workers that have nothing to do ask for next to nothing, and one small alert wakes one or two of them, not all."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.acceptance.agency_side import Agency, alert
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.operators_server import Server
from tests.acceptance.relay_side import until

#: Longer by hand: the commands of 20 seconds say more than those of 5.
SECONDS = float(os.environ.get("CHAPAR_IDLE_SECONDS", "5"))
WORKERS = 3
PEOPLE = 5


def cpu(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _post_one(agency: Agency, server: Server) -> int:
    """Post one small alert and wait for its end; returns how many claims all workers made for it."""
    claims: list[str] = []
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(server.watch(claims))
        await asyncio.sleep(0.2)
        posted = await agency.post(alert(1))
        document = await agency.completed(posted.body["id"], within=10)
        await asyncio.sleep(0.5)
        watching.cancel()
    assert document["counts"] == {"delivered": PEOPLE}
    return len(claims)


async def test_idle_workers_cost_next_to_nothing_and_are_no_herd(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], server: Server
) -> None:
    """At rest: at most 5 commands a second in Redis, those inside scripts too, and 1 % of a core for each worker."""
    shared: dict[str, Any] = {"channels": {"console": console()}, "redis": {"url": server.url}}
    shared["engine"] = {"lease": 10.0, "lease_flash": 5.0}
    api, machine = make_relay("api", **shared), make_relay("machine", **shared)
    api.begin("--role", "api")
    await api.listening()
    machine.begin("--role", "worker", "--workers", str(WORKERS))
    async with Agency(api) as agency:
        await agency.people(PEOPLE)

        async def ready() -> bool:
            return [w["recipients"] for w in await server.workers()] == [PEOPLE] * WORKERS

        await until(ready, within=30, why="all three know everybody")
        await asyncio.sleep(1)
        claims = await _post_one(agency, server)
    assert await api.stop() == 0
    await asyncio.sleep(1)
    pids = [process.pid for process in machine.processes() if process.pid != machine.pid]
    await server.reset_commands()
    began = {pid: cpu(pid) for pid in pids}
    await asyncio.sleep(SECONDS)
    used = [(cpu(pid) - began[pid]) / SECONDS for pid in pids]
    commands = await server.commands()
    each = sum(commands.values()) / SECONDS / WORKERS
    print(f"{claims} claims; {max(used):.2%} of a core; {each:.2f} commands/s a worker: {commands}")

    assert 1 <= claims <= 2 * WORKERS
    assert len(pids) == WORKERS
    assert each <= 5, commands
    assert max(used) <= 0.01
