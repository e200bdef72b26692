"""``./run chaos`` as it is typed: one round of faults by a fixed seed, and the judge is content."""

import asyncio
import sys

import orjson
import pytest

from tests.acceptance.relay_side import ROOT

#: Providers that refuse, hang and break off, Redis killed: whoever changes it plays it ten times first.
SEED = 12


@pytest.mark.timeout(240)
async def test_one_round_of_faults() -> None:
    """Nothing is lost, nothing is unexpected, every copy is labelled, nothing is late; and it exits with 0."""
    words = ["-m", "tests.chaos", "--seed", str(SEED), "--rounds", "1", "--topology", "private", "--seconds", "20"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        "--json",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    out, said = await process.communicate()
    print(said.decode())
    found = orjson.loads(out)

    assert process.returncode == 0, found["rounds"][0]["findings"]
    assert found["content"]
    assert found["sums"]["deliveries"] > 1_000
    assert sum(found["sums"]["faults"].values()) >= 3
