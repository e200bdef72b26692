"""The console adapter keeps the adapter contract, and its file can be trusted as ground truth."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from adapters.console import Console, ConsoleSettings
from relay.adapter import Kind, Receipt, Services, Verdict
from relay.directory.egress import Guard
from relay.errors import ProviderDown
from relay.testing.clocks import START, FakeClock
from relay.testing.contract import AdapterContract
from relay.testing.items import make_item
from relay.testing.provider import Provider


class ConsoleFile(Provider):
    """The file is the provider."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = {"kind": "sms", "path": str(path)}

    def address(self, number: int) -> str:
        return f"+7701000{number:04d}"

    def texts(self) -> Sequence[str]:
        return [json.loads(line)["text"] for line in self.path.read_text(encoding="utf-8").splitlines()]


class TestConsoleContract(AdapterContract):
    """The contract, over a file."""

    adapter = Console

    @pytest.fixture
    def provider(self, tmp_path: Path) -> Provider:
        return ConsoleFile(tmp_path / "sent.ndjson")


def console(log: object = None, **settings: object) -> Console:
    """Return a console that is not open yet."""
    services = Services(channel="console", log=log or structlog.get_logger(), egress=Guard(), clock=FakeClock())
    return Console(ConsoleSettings.model_validate(settings), services)


@pytest.mark.parametrize("kind", list(Kind))
def test_stands_in_for_any_kind(kind: Kind) -> None:
    """The descriptor takes its kind and promises from the settings (design §18)."""
    settings = ConsoleSettings.model_validate({"kind": kind, "idempotent": False, "receipts": True})
    descriptor = Console.describe(settings)

    assert (descriptor.kind, descriptor.idempotent, descriptor.receipts) == (kind, False, True)


async def test_file_holds_one_whole_line_per_delivery(tmp_path: Path) -> None:
    """When ``send`` returns, the kernel holds a complete line for each item: a kill loses none of them."""
    adapter = console(path=tmp_path / "sent")
    await adapter.open()
    await adapter.send([make_item(1), make_item(2)])
    lines = (tmp_path / "sent").read_bytes().splitlines(keepends=True)
    await adapter.close(deadline=1)

    assert [json.loads(line)["delivery_id"] for line in lines] == ["leg0contract-1", "leg0contract-2"]
    assert all(line.endswith(b"\n") for line in lines)
    assert json.loads(lines[0]) == {
        "delivery_id": "leg0contract-1",
        "recipient": "+77010000001",
        "text": make_item(1).text,
        "send_number": 1,
        "time": START.isoformat(),
    }


async def test_lines_of_two_workers_do_not_mix(tmp_path: Path) -> None:
    """Several processes append to one file; each batch is one write."""
    one, two = console(path=tmp_path / "sent"), console(path=tmp_path / "sent")
    await one.open()
    await two.open()
    async with asyncio.TaskGroup() as tasks:
        for number in range(20):
            for adapter in (one, two):
                tasks.create_task(adapter.send([make_item(number * 10 + n) for n in range(10)]))
    await one.close(deadline=1)
    await two.close(deadline=1)
    lines = (tmp_path / "sent").read_text().splitlines()

    assert len([json.loads(line) for line in lines]) == 400


async def test_file_is_private(tmp_path: Path) -> None:
    """The file holds addresses, so only its owner reads it."""
    adapter = console(path=tmp_path / "sent")
    await adapter.open()
    await adapter.close(deadline=1)

    assert (tmp_path / "sent").stat().st_mode & 0o777 == 0o600


async def test_without_a_file_only_ids_are_logged() -> None:
    """The log tells which deliveries passed, and nothing about people."""
    capture = LogCapture()
    adapter = console(structlog.wrap_logger(None, processors=[capture]))
    await adapter.open()
    outcomes = await adapter.send([make_item(1)])
    await adapter.close(deadline=1)

    assert [o.verdict for o in outcomes] == [Verdict.ACCEPTED]
    assert capture.entries == [{"event": "console_sent", "delivery_ids": ["leg0contract-1"], "log_level": "info"}]


async def test_silent_makes_the_texts_and_keeps_nothing(tmp_path: Path) -> None:
    """For measuring the engine: every text is filled as for a provider, and neither file nor log hears of it."""
    capture = LogCapture()
    adapter = console(
        structlog.wrap_logger(None, processors=[capture]), silent=True, path=tmp_path / "sent", verdict="delivered"
    )
    await adapter.open()
    outcomes = await adapter.send([make_item(1), make_item(2)])
    with pytest.raises(KeyError):
        await adapter.send([replace(make_item(3), values={})])
    await adapter.close(deadline=1)

    assert [o.verdict for o in outcomes] == [Verdict.DELIVERED] * 2
    assert (capture.entries, (tmp_path / "sent").read_bytes()) == ([], b"")


async def test_disk_that_refuses_is_a_provider_that_is_down() -> None:
    """Nothing of a batch was taken when the file cannot be written."""
    adapter = console(path="/dev/full")
    await adapter.open()

    with pytest.raises(ProviderDown, match="cannot_write"):
        await adapter.send([make_item(1)])
    await adapter.close(deadline=1)


async def test_verdict_can_be_chosen() -> None:
    """A test of the engine may want final answers at once."""
    adapter = console(verdict="delivered")
    outcomes = await adapter.send([make_item(1)])

    assert [o.verdict for o in outcomes] == [Verdict.DELIVERED]


async def test_receipts_follow_when_asked_for() -> None:
    """With ``receipts`` each delivery gets one, and the stream ends when the console is closed."""
    adapter = console(receipts=True)
    await adapter.send([make_item(1), make_item(2)])
    await adapter.close(deadline=1)
    events = [event async for event in adapter.events()]

    assert [e.delivery_id for e in events if isinstance(e, Receipt)] == ["leg0contract-1", "leg0contract-2"]
    assert {e.verdict for e in events if isinstance(e, Receipt)} == {Verdict.DELIVERED}
