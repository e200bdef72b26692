"""The smpp adapter against a foreign SMS centre (smpp34's server): what people read, what receipts say, what breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
import uvloop
from structlog.testing import LogCapture

from adapters.sms.settings import Settings
from adapters.sms.smpp import Smpp
from relay.adapter import Event, Inbound, Item, Receipt, Services, Template, Verdict
from relay.directory.egress import Guard
from relay.errors import ProviderDown
from relay.testing.items import make_item
from relay.testing.smsc import ROK, RTHROTTLED, Mood, Smsc, When

RU = "МЧС: ЗЕМЛЕТРЯСЕНИЕ, Алматы. Выйдите на открытое место, дальше от зданий. До 14:30. Ответьте 1. " * 2
KK = "ТЖМ: ЖЕР СІЛКІНІСІ, Алматы. Ғимараттан шығыңыз, ұлғайған қауіп, әйнек пен қабырға. 1 деп жауап беріңіз. " * 2
EN = "Flood {Talgar} [river] ~2 m above the mark | go up | cost 5 € ^ \\ " * 5
EMOJI = "Сель 🌊 идёт! Уходите вверх по склону 🏔️👨‍👩‍👧‍👦 " * 6


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    """A fresh SMS centre."""
    async with Smsc() as centre:
        yield centre


@asynccontextmanager
async def opened(smsc: Smsc, log: object = None, **settings: object) -> AsyncIterator[Smpp]:
    """Return an adapter bound to ``smsc`` with time-outs of a second."""
    quick: dict[str, object] = {"response_timeout": 1.0, "reconnect": [0.05, 0.1], "throttle_pause": 0.1}
    known = Settings.model_validate({**smsc.settings, **quick, **settings})
    services = Services(channel="sms", log=log or structlog.get_logger(), egress=Guard())
    adapter = Smpp(known, services)
    await adapter.open()
    try:
        yield adapter
    finally:
        await adapter.close(deadline=2.0)


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


async def until(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds, at most five seconds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def bound_again(adapter: Smpp) -> None:
    """Wait until the adapter is bound."""
    async with asyncio.timeout(5):
        while await adapter.health():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("text", [RU, KK, EN, EMOJI, "Short."], ids=["ru", "kk", "gsm", "emoji", "short"])
async def test_phone_shows_the_whole_text(smsc: Smsc, text: str) -> None:
    """A long message is put together by the phone exactly as it was written, and is provided with all part ids."""
    async with opened(smsc, source_addr="+77010009999") as adapter:
        outcomes = await adapter.send([said(1, text)])
        messages = await smsc.until(1)

    assert smsc.unreadable == []
    assert [m.text for m in messages] == [text]
    assert (messages[0].number, messages[0].sender) == ("+77010000001", "77010009999")
    assert outcomes[0].provider_ids == messages[0].ids
    assert len(messages[0].ids) == messages[0].parts


@pytest.mark.parametrize("when", [When.EARLY, When.PROMPT, When.LATE])
async def test_a_thousand_messages_with_receipts(smsc: Smsc, when: When) -> None:
    """Every message of a thousand is accepted once and its receipt is heard, whether before or after the response."""
    smsc.receipts = when
    batches = [[make_item(number) for number in range(first, first + 50)] for first in range(0, 1000, 50)]
    async with opened(smsc, response_timeout=10.0) as adapter, asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(collect(adapter, 1000))
        sends = [tasks.create_task(adapter.send(batch)) for batch in batches]
    outcomes = [outcome for send in sends for outcome in send.result()]
    receipts = [event for event in hearing.result() if isinstance(event, Receipt)]

    assert {o.verdict for o in outcomes} == {Verdict.ACCEPTED}
    assert sorted(m.number for m in smsc.messages) == sorted(item.address for batch in batches for item in batch)
    assert {r.verdict for r in receipts} == {Verdict.DELIVERED}
    assert {r.provider_id for r in receipts} == {o.provider_ids[0] for o in outcomes}


async def test_early_receipt_comes_before_its_outcome(smsc: Smsc) -> None:
    """A receipt that overtakes the response is told at once; the core matches it by id afterwards."""
    smsc.receipts = When.EARLY
    async with opened(smsc) as adapter, asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(collect(adapter, 1))
        sending = tasks.create_task(adapter.send([make_item(1)]))
        await asyncio.wait({hearing, sending}, return_when=asyncio.FIRST_COMPLETED)
        first = hearing.done()

    receipt = hearing.result()[0]

    assert first
    assert isinstance(receipt, Receipt)
    assert (receipt.provider_id,) == sending.result()[0].provider_ids


async def test_each_part_has_its_receipt(smsc: Smsc) -> None:
    """Receipts of a long message carry the id of each part, so that the core can tell when all have arrived."""
    async with opened(smsc) as adapter:
        outcome = (await adapter.send([said(1, RU)]))[0]
        receipts = await collect(adapter, len(outcome.provider_ids))

    assert len(outcome.provider_ids) > 1
    assert {r.provider_id for r in receipts if isinstance(r, Receipt)} == set(outcome.provider_ids)


async def test_throttled_bind_pauses(smsc: Smsc) -> None:
    """After "slow down" the rest of the batch is held back, unsent and uncharged; later it goes through."""
    smsc.script = [RTHROTTLED]
    async with opened(smsc, window=1, throttle_pause=0.3) as adapter:
        outcomes = await adapter.send([make_item(number) for number in range(20)])
        sent = smsc.submits
        again = await adapter.send([make_item(99)])
        await asyncio.sleep(outcomes[0].retry_after or 0.0)
        later = await adapter.send([make_item(99)])

    assert [o.reason for o in outcomes] == ["provider_throttled"] + ["held_back"] * 19
    assert {o.verdict for o in outcomes} == {Verdict.THROTTLED}
    assert all(o.retry_after and o.retry_after > 0 for o in outcomes)
    assert sent == 1
    assert again[0].reason == "held_back"
    assert later[0].verdict is Verdict.ACCEPTED


async def test_throttled_rest_of_a_message_is_finished(smsc: Smsc) -> None:
    """Of a message that was half accepted the rest follows after the pause: nobody reads half a warning."""
    smsc.script = [ROK, RTHROTTLED, RTHROTTLED, RTHROTTLED]
    async with opened(smsc, window=1) as adapter:
        outcome = (await adapter.send([said(1, RU)]))[0]

    assert outcome.verdict is Verdict.ACCEPTED
    assert [m.text for m in smsc.messages] == [RU]
    assert outcome.provider_ids == smsc.messages[0].ids
    assert smsc.submits == smsc.messages[0].parts + 3


async def test_provider_returns_after_a_crash(smsc: Smsc) -> None:
    """While the provider is gone nothing leaves and it is said so; when it is back the bind returns by itself."""
    async with opened(smsc) as adapter:
        await adapter.send([make_item(1)])
        await smsc.gate.close()
        async with asyncio.timeout(5):
            while not await adapter.health():
                await asyncio.sleep(0.01)
        with pytest.raises(ProviderDown):
            await adapter.send([make_item(2)])
        health = await adapter.health()
        await smsc.gate.open()
        await bound_again(adapter)
        outcomes = await adapter.send([make_item(3)])

    assert "not bound to 127.0.0.1" in health
    assert outcomes[0].verdict is Verdict.ACCEPTED
    assert [m.number for m in smsc.messages] == ["+77010000001", "+77010000003"]
    assert smsc.gate.binds == 2


async def test_connection_cut_in_the_middle_tells_sent_from_unsent(smsc: Smsc) -> None:
    """When the connection dies, what was submitted is unknown and what was not is a retry; nothing is called sent."""
    smsc.mood = Mood.CUTS
    async with opened(smsc, window=5) as adapter:
        outcomes = await adapter.send([make_item(number) for number in range(20)])

    assert [o.verdict for o in outcomes] == [Verdict.UNKNOWN] * 5 + [Verdict.RETRY] * 15
    assert {o.reason for o in outcomes} == {"response_lost", "not_sent"}


async def test_silent_provider_is_unknown_and_left(smsc: Smsc) -> None:
    """A provider that takes messages and says nothing is not waited for again and again: the bind is renewed."""
    smsc.mood = Mood.HANGS
    async with opened(smsc, window=5, response_timeout=0.3) as adapter:
        outcomes = await adapter.send([make_item(number) for number in range(20)])
        smsc.mood = Mood.ANSWERS
        await bound_again(adapter)
        again = await adapter.send([make_item(30)])

    assert {o.verdict for o in outcomes[:5]} == {Verdict.UNKNOWN}
    assert {o.verdict for o in outcomes[5:]} == {Verdict.RETRY}
    assert again[0].verdict is Verdict.ACCEPTED


async def test_wrong_password_is_said_without_saying_it(smsc: Smsc) -> None:
    """The operator reads that the password is wrong; the password itself is nowhere."""
    capture = LogCapture()
    log = structlog.wrap_logger(None, processors=[capture])
    async with opened(smsc, log, password="opensesame") as adapter:
        health = await adapter.health()
        with pytest.raises(ProviderDown, match="invalid_password") as raised:
            await adapter.send([make_item(1)])

    assert "ESME_RINVPASWD" in health
    assert "opensesame" not in f"{health} {raised.value} {capture.entries}"
    assert smsc.submits == 0


@pytest.mark.parametrize(("text", "cut"), [("1", 0), ("Иә, жолдамыз", 0), ("Мы вышли к школе, нас 40", 10)])
async def test_reply_is_heard(smsc: Smsc, text: str, cut: int) -> None:
    """A responder's answer arrives whole with his number in E.164, in either alphabet, in one part or several."""
    async with opened(smsc, source_addr="+77010009999") as adapter:
        status = await smsc.reply("+77010000007", text, to="+77010009999", cut=cut)
        events = await collect(adapter, 1)

    assert status == 0
    assert events == [Inbound(sender="+77010000007", text=text)]


async def test_garbage_ends_the_connection_not_the_adapter(smsc: Smsc) -> None:
    """Bytes that are not SMPP cost one connection; the adapter binds anew and goes on."""
    capture = LogCapture()
    async with opened(smsc, structlog.wrap_logger(None, processors=[capture])) as adapter:
        await adapter.send([make_item(1)])
        smsc.gate.inject(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await until(lambda: smsc.gate.binds == 2)
        await bound_again(adapter)
        outcomes = await adapter.send([make_item(2)])

    assert outcomes[0].verdict is Verdict.ACCEPTED
    assert "smpp_framing_lost" in [entry["event"] for entry in capture.entries]


async def test_password_can_come_from_a_file(smsc: Smsc, tmp_path: Path) -> None:
    """A secret in a file works, and is read again for each bind."""
    secret = tmp_path / "password"
    secret.write_text("wrong\n", encoding="utf-8")
    async with opened(smsc, password="", password_file=str(secret)) as adapter:
        refused = await adapter.health()
        secret.write_text(f"{smsc.password}\n", encoding="utf-8")
        await bound_again(adapter)

    assert "ESME_RINVPASWD" in refused


async def test_several_binds_share_the_work(smsc: Smsc) -> None:
    """With two binds both carry messages, and one is enough to go on."""
    async with opened(smsc, binds=2, window=5) as adapter:
        await until(lambda: smsc.gate.binds == 2)
        outcomes = await adapter.send([make_item(number) for number in range(40)])

    assert {o.verdict for o in outcomes} == {Verdict.ACCEPTED}
    assert len(smsc.messages) == 40


async def test_payload_parameter_carries_long_texts_whole(smsc: Smsc) -> None:
    """With ``message_payload`` a long text is one submit; the centre is given the octets in the parameter."""
    async with opened(smsc, message_payload=True) as adapter:
        outcomes = await adapter.send([said(1, RU)])

    assert len(outcomes[0].provider_ids) == 1
    assert [(m.text, m.parts) for m in smsc.messages] == [(RU, 1)]
    assert smsc.submits == 1


def test_on_uvloop() -> None:
    """The loop of production carries the same messages and receipts."""

    async def carry() -> tuple[int, int]:
        async with Smsc() as smsc, opened(smsc) as adapter:
            outcomes = await adapter.send([said(number, RU) for number in range(64)])
            receipts = await collect(adapter, sum(len(o.provider_ids) for o in outcomes))
            return len(smsc.messages), len(receipts)

    assert uvloop.run(carry()) == (64, 192)
