"""Reading replies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sms.inbound import Part, Reassembly, body_of, sender_of, text_of
from adapters.sms.pdu import ShortMessage, Tag
from relay.adapter import Inbound


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (b"1", 0, "1"),
        (b"\x00\x1b\x65", 0, "@€"),
        (b"yes", 1, "yes"),
        (b"\xe9", 3, "é"),
        ("Иә".encode("utf-16-be"), 8, "Иә"),
        ("ДА".encode("iso8859-5"), 6, "ДА"),
        (b"\x04", 8, "\ufffd"),
        (b"1", 0xF1, "1"),
    ],
)
def test_text(octets: bytes, coding: int, text: str) -> None:
    """Each data_coding is read as the specification names it; what cannot be read is marked."""
    assert text_of(octets, coding) == text


@given(st.builds(ShortMessage, payload=st.binary(max_size=60), esm_class=st.integers(0, 255)), st.integers(0, 255))
def test_any_message_can_be_read(message: ShortMessage, coding: int) -> None:
    """No message from outside breaks the reader."""
    octets, _part = body_of(message)

    assert isinstance(text_of(octets, coding), str)


@pytest.mark.parametrize(
    ("message", "octets", "part"),
    [
        (ShortMessage(payload=b"1"), b"1", None),
        (ShortMessage(payload=b"\5\0\3\7\2\1ab", esm_class=0x40), b"ab", Part(7, 2, 1)),
        (ShortMessage(payload=b"\6\x08\4\1\7\2\2ab", esm_class=0x40), b"ab", Part(0x107, 2, 2)),
        (ShortMessage(payload=b"\x0a\x24\1\1\0\3\7\2\1\x25\1\1ab", esm_class=0x40), b"\1ab", Part(7, 2, 1)),
        (ShortMessage(payload=b"\5\0\3\7\2\3ab", esm_class=0x40), b"ab", None),
        (ShortMessage(tlvs=((Tag.MESSAGE_PAYLOAD, b"long"),)), b"long", None),
        (
            ShortMessage(payload=b"b", tlvs=((0x20C, b"\0\7"), (0x20E, b"\2"), (0x20F, b"\1"))),
            b"b",
            Part(7, 2, 1),
        ),
    ],
)
def test_body(message: ShortMessage, octets: bytes, part: Part | None) -> None:
    """The place in a longer message is found in the header or the parameters; nonsense is read as a single one."""
    assert body_of(message) == (octets, part)


@pytest.mark.parametrize(
    ("address", "ton", "sender"),
    [
        ("77010000007", 1, "+77010000007"),
        ("77010000007", 0, "+77010000007"),
        ("+77010000007", 0, "+77010000007"),
        ("87010000007", 2, "87010000007"),
        ("1414", 0, "1414"),
        ("MegaCom", 5, "MegaCom"),
    ],
)
def test_sender(address: str, ton: int, sender: str) -> None:
    """International numbers are written in E.164; what is none stays as it came."""
    assert sender_of(ShortMessage(source=address, source_ton=ton)) == sender


def piece(number: int, text: str, *, total: int = 2, reference: int = 7, source: str = "77010000007") -> ShortMessage:
    """One part of a reply."""
    header = bytes((5, 0, 3, reference, total, number))
    return ShortMessage(source=source, source_ton=1, payload=header + text.encode(), esm_class=0x40)


def test_parts_in_any_order() -> None:
    """Parts are put together by number, whatever came first and even if one comes twice."""
    replies = Reassembly()
    first = [replies.add(piece(2, "b"), now=0), replies.add(piece(2, "b"), now=1)]

    assert first == [[], []]
    assert replies.add(piece(1, "a"), now=2) == [Inbound(sender="+77010000007", text="ab")]


def test_senders_do_not_mix() -> None:
    """The same reference from two phones is two messages."""
    replies = Reassembly()
    replies.add(piece(1, "a"), now=0)

    assert replies.add(piece(2, "b", source="77010000008"), now=0) == []


def test_incomplete_is_given_up_not_lost() -> None:
    """A reply of which a part never comes is passed on as far as it came."""
    replies = Reassembly(seconds=60)
    replies.add(piece(1, "SOS"), now=0)
    later = replies.add(ShortMessage(source="77010000009", source_ton=1, payload=b"1"), now=61)

    assert [event.text for event in later] == ["SOS", "1"]


def test_reference_used_again() -> None:
    """A new message with an old reference and another length ends the old one."""
    replies = Reassembly()
    replies.add(piece(1, "old"), now=0)

    assert [event.text for event in replies.add(piece(1, "new", total=3), now=1)] == ["old"]


def test_number_of_open_messages_is_bounded() -> None:
    """A flood of first parts does not fill the memory."""
    replies = Reassembly(keep=10)
    out = [event for n in range(100) for event in replies.add(piece(1, str(n), reference=n), now=0)]

    assert [event.text for event in out] == [str(n) for n in range(90)]
