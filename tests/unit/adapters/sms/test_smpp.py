"""What the adapter says of itself, and what it does without a connection.  With one: tests/contract, tests/integration."""

from __future__ import annotations

import pytest
import structlog

from adapters.sms.settings import Settings
from adapters.sms.smpp import Smpp
from relay.adapter import Adapter, Describes, Kind, Listens, Probes, Services
from relay.directory.egress import Guard
from relay.errors import ProviderDown
from relay.testing.items import make_item


def smpp(**more: object) -> Smpp:
    """Return an adapter that is not open."""
    settings = Settings.model_validate(
        {"host": "smsc.example", "system_id": "chapar", "password": "opensesame", **more}
    )
    return Smpp(settings, Services(channel="sms", log=structlog.get_logger(), egress=Guard()))


def test_descriptor() -> None:
    """The core knows that SMS must not be repeated blindly, and that receipts and replies come."""
    descriptor = Smpp.descriptor

    assert (descriptor.name, descriptor.kind, descriptor.settings) == ("smpp", Kind.SMS, Settings)
    assert (descriptor.idempotent, descriptor.max_batch) == (False, 64)
    assert (descriptor.receipts, descriptor.two_way) == (True, True)


@pytest.mark.parametrize(
    ("more", "receipts", "two_way", "in_flight"),
    [
        ({}, True, True, 200),
        ({"source_addr": "MCHS"}, True, False, 200),
        ({"registered_delivery": False, "window": 10}, False, True, 40),
        ({"window": 1000}, True, True, 512),
    ],
)
def test_settings_change_what_holds(more: dict[str, object], receipts: bool, two_way: bool, in_flight: int) -> None:
    """A name as sender cannot be answered; without registered delivery no receipt comes."""
    settings = Settings.model_validate({"host": "smsc.example", "system_id": "chapar", **more})
    found = Smpp.describe(settings)

    assert (found.receipts, found.two_way, found.max_in_flight) == (receipts, two_way, in_flight)


def test_optional_parts_are_found() -> None:
    """It hears, can be asked for its health and describes itself."""
    adapter: Adapter = smpp()

    assert isinstance(adapter, Listens)
    assert isinstance(adapter, Probes)
    assert isinstance(adapter, Describes)


async def test_without_connection_nothing_leaves() -> None:
    """Before it is opened the adapter says so instead of pretending."""
    adapter = smpp()
    with pytest.raises(ProviderDown, match="closed"):
        await adapter.send([make_item(1)])

    assert await adapter.send([]) == []
    assert await adapter.health() == "not bound to smsc.example:2775: not open"


async def test_events_end_with_close() -> None:
    """Who listens is let go when the adapter closes."""
    adapter = smpp()
    await adapter.close(deadline=0.1)

    assert [event async for event in adapter.events()] == []
