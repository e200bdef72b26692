"""The test SMS centre does what the demo and third parties rely on, seen by a client of its own library."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import smpp34

from relay.testing.smsc import RINVDSTADR, Message, Smsc, When


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    """A fresh centre."""
    async with Smsc() as centre:
        yield centre


async def bind(smsc: Smsc) -> smpp34.Smsc:
    """Bind with the foreign client; it is good enough for single messages."""
    client = smpp34.Client("127.0.0.1", smsc.gate.port, "chapar", smsc.password, bind_type="TRX")
    return await client.connect()


async def test_message_and_receipt(smsc: Smsc) -> None:
    """A message is shown with its number and text, and its receipt follows."""
    esme = await bind(smsc)
    answer = await esme.submit_sm("77010000001", b"Flood", source_addr="77010009999", registered_delivery=1)
    receipt = await esme.next()

    assert answer.message_id is not None
    assert list(await smsc.until(1)) == [
        Message(
            number="+77010000001", sender="77010009999", text="Flood", parts=1, ids=(answer.message_id,), data_coding=0
        )
    ]
    assert isinstance(receipt, smpp34.DeliverSmEvent)
    assert receipt.short_message.startswith(f"id:{answer.message_id} ".encode())
    assert b"stat:DELIVRD" in receipt.short_message


async def test_a_silent_number(smsc: Smsc) -> None:
    """A silent number's messages are taken like others, and no receipt follows."""
    smsc.silent = {"+77010000001"}
    esme = await bind(smsc)
    await esme.submit_sm("77010000001", b"Flood", registered_delivery=1)
    await esme.submit_sm("77010000002", b"Flood", registered_delivery=1)
    receipt = await esme.next()

    assert isinstance(receipt, smpp34.DeliverSmEvent)
    assert receipt.source_addr == "77010000002"
    assert [m.number for m in smsc.messages] == ["+77010000001", "+77010000002"]
    assert smsc.receipts_taken <= 1


async def test_parts_in_any_order(smsc: Smsc) -> None:
    """A message is shown when its last part has come, in the right order."""
    esme = await bind(smsc)
    for number, text in ((2, "ве"), (1, "При"), (3, "т")):
        payload = bytes((5, 0, 3, 9, 3, number)) + text.encode("utf-16-be")
        await esme.submit_sm("77010000001", payload, esm_class=0x40, data_coding=8)

    assert [(m.text, m.parts, len(m.ids)) for m in await smsc.until(1)] == [("Привет", 3, 3)]


async def test_what_no_phone_could_show_is_noted(smsc: Smsc) -> None:
    """A part that is cut through a character does not pass silently."""
    esme = await bind(smsc)
    await esme.submit_sm("77010000001", b"\xd8\x3c", data_coding=8)

    assert len(smsc.unreadable) == 1
    assert smsc.messages == []


async def test_fate_and_silence(smsc: Smsc) -> None:
    """Numbers can be refused; receipts can be left out."""
    smsc.fate["+77010000008"] = RINVDSTADR
    smsc.receipts = When.NEVER
    esme = await bind(smsc)
    refused = await esme.submit_sm("77010000008", b"Flood", registered_delivery=1)
    taken = await esme.submit_sm("77010000001", b"Flood", registered_delivery=1)

    assert refused.command_status == RINVDSTADR
    assert taken.is_success
    assert [m.number for m in smsc.messages] == ["+77010000001"]
    assert smsc.receipts_taken == 0
