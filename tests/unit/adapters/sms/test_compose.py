"""From an item to submit_sm bodies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from adapters.sms.codec import decode, encode
from adapters.sms.compose import BadNumber, Composer, validity_of
from adapters.sms.pdu import Command, Pdu, ShortMessage, Tag
from adapters.sms.segments import TooLong
from adapters.sms.settings import Settings
from relay.adapter import Item, Template
from relay.testing.items import make_item


def settings(**more: object) -> Settings:
    """Settings of an account."""
    return Settings.model_validate({"host": "smsc.example", "system_id": "chapar", **more})


def said(text: str, address: str = "+77010000001", delivery_id: str = "leg1-1") -> Item:
    """Return a delivery that reads ``text``."""
    item = make_item(1, address=address)
    return replace(item, delivery_id=delivery_id, content=replace(item.content, text=Template((text,))))


def messages_of(item: Item, wanted: Settings) -> tuple[ShortMessage, ...]:
    """Return the parts of ``item`` as a centre reads them."""
    read = [decode(encode(Pdu(Command.SUBMIT_SM, 1, body))).body for body in Composer(wanted).bodies(item)]
    return tuple([body for body in read if isinstance(body, ShortMessage)])


def test_one_part() -> None:
    """A short text is one submit with the number without its plus, TON 1, NPI 1, a receipt asked for and a validity."""
    (message,) = messages_of(said("Flood"), settings(source_addr="+77010009999"))

    assert (message.destination, message.dest_ton, message.dest_npi) == ("77010000001", 1, 1)
    assert (message.source, message.source_ton, message.source_npi) == ("77010009999", 1, 1)
    assert (message.payload, message.data_coding, message.esm_class) == (b"Flood", 0, 0)
    assert (message.registered_delivery, message.validity) == (1, "260301070000000+")


@pytest.mark.parametrize(
    ("more", "source"),
    [
        ({"source_addr": "MCHS"}, ("MCHS", 5, 0)),
        ({"source_addr": ""}, ("", 0, 0)),
        ({"source_addr": "1414", "source_ton": 3, "source_npi": 0}, ("1414", 3, 0)),
        ({"source_addr": "1414"}, ("1414", 1, 1)),
    ],
)
def test_source(more: dict[str, object], source: tuple[str, int, int]) -> None:
    """A name is TON 5, NPI 0; what the operator writes wins."""
    (message,) = messages_of(said("Flood"), settings(**more))

    assert (message.source, message.source_ton, message.source_npi) == source


def test_parts() -> None:
    """A long Cyrillic text travels in UCS-2 parts with a header, in order."""
    messages = messages_of(said("сель " * 30), settings())

    assert [m.data_coding for m in messages] == [8, 8, 8]
    assert [m.esm_class for m in messages] == [0x40] * 3
    assert [m.payload[5] for m in messages] == [1, 2, 3]


def test_repetition_completes_what_the_phone_has() -> None:
    """The same delivery has the same reference each time; another one, nearly always, another."""
    long = "сель " * 30
    references = {messages_of(said(long, delivery_id=f"leg1-{n}"), settings())[0].payload[3] for n in range(50)}

    assert messages_of(said(long), settings()) == messages_of(said(long), settings())
    assert len(references) > 25


def test_payload_parameter() -> None:
    """With ``message_payload`` the text is whole in the optional parameter."""
    (message,) = messages_of(said("сель " * 60), settings(message_payload=True))

    assert message.payload == b""
    assert message.tlv(Tag.MESSAGE_PAYLOAD) == ("сель " * 60).encode("utf-16-be")


def test_settings_for_special_providers() -> None:
    """Data codings, validity, receipts and service type can be changed."""
    wanted = settings(gsm_data_coding=1, validity=False, registered_delivery=False, service_type="EMRG", dest_ton=0)
    (message,) = messages_of(said("Flood"), wanted)

    assert (message.data_coding, message.validity, message.registered_delivery) == (1, "", 0)
    assert (message.service_type, message.dest_ton) == ("EMRG", 0)


@pytest.mark.parametrize("address", ["", "+", "duty@rescue.example", "+7 701", "7" * 21, "+٧٧٠١"])
def test_bad_number(address: str) -> None:
    """What is no number is told before anything is sent."""
    with pytest.raises(BadNumber):
        messages_of(replace(said("Flood"), address=address), settings())


def test_too_long() -> None:
    """A text of more than 255 parts is refused."""
    with pytest.raises(TooLong):
        messages_of(said("a" * 40_000), settings())


def test_everything_fits_the_codec() -> None:
    """The longest values that settings allow can be written."""
    wanted = settings(source_addr="9" * 20, service_type="ABCDE", system_type="x" * 12)
    messages = messages_of(said("€" * 400, address="+" + "9" * 20), wanted)

    assert len(messages) == 6
    assert {(m.source, m.service_type, m.destination) for m in messages} == {("9" * 20, "ABCDE", "9" * 20)}


def test_one_composer_serves_all() -> None:
    """What was written for one message never shows in another: number, text, alphabet, parts and expiry are its own."""
    composer = Composer(settings())
    items = [
        said("Flood"),
        said("сель", address="+77010000002"),
        said("сель " * 30, address="+77010000003"),
        replace(said("Flood", address="77010000004"), expires=datetime(2026, 5, 1, tzinfo=UTC)),
        said("Flood " * 40, delivery_id="leg2-7"),
    ]
    together = [composer.bodies(item) for item in [*items, *reversed(items)]]
    apart = [Composer(settings()).bodies(item) for item in items]

    assert together == [*apart, *reversed(apart)]


def test_validity_is_in_utc() -> None:
    """A local expiry time is written in UTC, absolute (§7.1.1)."""
    local = datetime(2026, 3, 1, 12, 30, 5, tzinfo=timezone(timedelta(hours=5)))

    assert validity_of(local) == "260301073005000+"
