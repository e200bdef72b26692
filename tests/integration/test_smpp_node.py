"""The smpp adapter against a second foreign SMS centre, of another ecosystem: node-smpp.

Runs where node is installed and the npm package too: ``npm install`` in tests/node, or in a folder that the
environment variable CHAPAR_NODE_MODULES names.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.sms.settings import Settings
from adapters.sms.smpp import Smpp
from relay.adapter import Event, Inbound, Item, Receipt, Services, Template, Verdict
from relay.directory.egress import Guard
from relay.errors import ProviderDown
from relay.testing.items import make_item

_HERE = Path(__file__).parent.parent / "node"
_MODULES = Path(os.environ.get("CHAPAR_NODE_MODULES") or _HERE / "node_modules")

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.skipif(not (_MODULES / "smpp").is_dir(), reason=f"the npm package smpp is not in {_MODULES.name}"),
]

RU = "МЧС: СЕЛЬ, река Талгар. Уходите вверх по склону, не ждите. До 14:30. Ответьте 1. " * 2
GSM = "Flood {Talgar} ~2 m [river] cost 5 € | \\ ^ " * 6


@dataclass
class Centre:
    """The node process: its port, and everything that it said."""

    port: int = 0
    said: list[dict[str, Any]] = field(default_factory=list)

    def submits(self) -> list[dict[str, Any]]:
        """The submit_sm that came, as node-smpp decoded them."""
        return [line for line in self.said if "to" in line]

    async def until(self, key: str, count: int = 1) -> None:
        """Wait until ``count`` lines have ``key``."""
        async with asyncio.timeout(10):
            while len([line for line in self.said if key in line]) < count:
                await asyncio.sleep(0.01)


@pytest.fixture
async def centre() -> AsyncIterator[Centre]:
    """A running node-smpp server."""
    env = {**os.environ, "NODE_PATH": str(_MODULES)}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("node", str(_HERE / "smsc.js"), stdin=pipe, stdout=pipe, env=env)
    assert process.stdout
    assert process.stdin
    found = Centre(port=json.loads(await process.stdout.readline())["port"])

    async def listen(stream: asyncio.StreamReader) -> None:
        async for line in stream:
            found.said.append(json.loads(line))

    listening = asyncio.get_running_loop().create_task(listen(process.stdout))
    yield found
    process.stdin.close()
    await process.wait()
    await listening


async def opened(centre: Centre, **settings: object) -> Smpp:
    """Return an open adapter."""
    base: dict[str, object] = {"host": "127.0.0.1", "port": centre.port, "system_id": "chapar", "password": "secret"}
    known = Settings.model_validate({**base, "source_addr": "+77010009999", "response_timeout": 5.0, **settings})
    adapter = Smpp(known, Services(channel="sms", log=structlog.get_logger(), egress=Guard()))
    await adapter.open()
    return adapter


def said(number: int, text: str) -> Item:
    """Return a delivery that reads ``text`` exactly."""
    item = make_item(number)
    return replace(item, content=replace(item.content, text=Template((text,))))


async def collect(adapter: Smpp, count: int) -> list[Event]:
    """Return the next ``count`` events."""
    found: list[Event] = []
    async with asyncio.timeout(20):
        async for event in adapter.events():
            found.append(event)
            if len(found) == count:
                break
    return found


@pytest.mark.parametrize("text", [RU, GSM], ids=["ru", "gsm"])
async def test_foreign_decoder_reads_the_text(centre: Centre, text: str) -> None:
    """Another implementation finds our headers, alphabets and addresses correct, and the text whole."""
    adapter = await opened(centre)
    outcomes = await adapter.send([said(1, text)])
    await centre.until("to", len(outcomes[0].provider_ids))
    await adapter.close(deadline=2)
    parts = centre.submits()

    assert "".join(part["text"] for part in parts) == text
    assert [part["udh"][-3:][1:] for part in parts] == [[len(parts), n] for n in range(1, len(parts) + 1)]
    assert {(p["ton"], p["npi"], p["dest_ton"], p["dest_npi"], p["registered"]) for p in parts} == {(1, 1, 1, 1, 1)}
    assert {(p["from"], p["to"]) for p in parts} == {("77010009999", "77010000001")}


async def test_alphanumeric_sender(centre: Centre) -> None:
    """A name as sender travels with TON 5 and NPI 0, and nobody is asked to answer it."""
    adapter = await opened(centre, source_addr="MCHS")
    await adapter.send([make_item(1)])
    await centre.until("to")
    await adapter.close(deadline=2)

    assert [(p["from"], p["ton"], p["npi"]) for p in centre.submits()] == [("MCHS", 5, 0)]


async def test_thousand_with_receipts_both_ways(centre: Centre) -> None:
    """A thousand messages with window 50, receipts as parameters before and as text after the response."""
    items = [make_item(number * 10 + end) for number in range(500) for end in (5, 6)]
    adapter = await opened(centre)
    async with asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(collect(adapter, 1000))
        sends = [tasks.create_task(adapter.send(items[at : at + 50])) for at in range(0, 1000, 50)]
    await centre.until("receipt", 1000)
    await adapter.close(deadline=2)
    outcomes = [outcome for send in sends for outcome in send.result()]
    receipts = [event for event in hearing.result() if isinstance(event, Receipt)]

    assert {o.verdict for o in outcomes} == {Verdict.ACCEPTED}
    assert {r.provider_id for r in receipts} == {o.provider_ids[0] for o in outcomes}
    assert {r.verdict for r in receipts} == {Verdict.DELIVERED}
    assert {line["status"] for line in centre.said if "receipt" in line} == {0}


async def test_refusals_and_throttling(centre: Centre) -> None:
    """An invalid number is refused for good; a throttled one is asked again later."""
    adapter = await opened(centre)
    outcomes = await adapter.send([make_item(8), make_item(1), make_item(9)])
    await adapter.close(deadline=2)

    assert [o.verdict for o in outcomes] == [Verdict.REJECTED, Verdict.ACCEPTED, Verdict.THROTTLED]
    assert [o.reason for o in outcomes] == ["invalid_number", "", "provider_throttled"]


async def test_reply_and_life_signs(centre: Centre) -> None:
    """A reply is heard with its number, the centre's enquire_link is answered, and we leave with unbind."""
    adapter = await opened(centre, enquire_link=0.05)
    await adapter.send([make_item(7)])
    events = await collect(adapter, 2)
    await centre.until("alive")
    await adapter.close(deadline=2)
    await centre.until("unbound")

    assert Inbound(sender="+77010000007", text="Иә") in events
    assert not [line for line in centre.said if "error" in line]


async def test_wrong_password(centre: Centre) -> None:
    """A refused bind is told, and nothing is sent."""
    adapter = await opened(centre, password="opensesame")
    health = await adapter.health()
    with pytest.raises(ProviderDown, match="invalid_password"):
        await adapter.send([make_item(1)])
    await adapter.close(deadline=2)

    assert "ESME_RINVPASWD" in health
    assert centre.submits() == []
