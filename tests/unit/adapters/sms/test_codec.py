"""The codec: whatever is written is read back, however it is cut; garbage is an error and nothing else."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sms.codec import MAX_PDU, BodyError, CodecError, FrameError, Framer, decode, encode
from adapters.sms.pdu import Bind, BindResp, Command, MessageId, Pdu, Raw, ShortMessage

OCTET = st.integers(0, 255)
TLVS = st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=40)), max_size=4).map(tuple)


def text(size: int) -> st.SearchStrategy[str]:
    """C-octet strings that fit ``size`` octets with their NUL."""
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=size - 1)


MESSAGES = st.builds(
    ShortMessage,
    source=text(21),
    destination=text(21),
    payload=st.binary(max_size=254),
    service_type=text(6),
    source_ton=OCTET,
    source_npi=OCTET,
    dest_ton=OCTET,
    dest_npi=OCTET,
    esm_class=OCTET,
    protocol_id=OCTET,
    priority=OCTET,
    schedule=text(17),
    validity=text(17),
    registered_delivery=OCTET,
    replace=OCTET,
    data_coding=OCTET,
    default_message=OCTET,
    tlvs=TLVS,
)
BINDS = st.builds(Bind, system_id=text(16), password=text(9), system_type=text(13), address_range=text(41))
IDS = st.builds(MessageId, text(65), TLVS)
BODIES = st.one_of(
    st.tuples(st.sampled_from([Command.SUBMIT_SM, Command.DELIVER_SM]), MESSAGES),
    st.tuples(st.sampled_from([Command.SUBMIT_SM_RESP, Command.DELIVER_SM_RESP]), IDS),
    st.tuples(st.just(Command.BIND_TRANSCEIVER), BINDS),
    st.tuples(st.just(Command.BIND_TRANSCEIVER_RESP), st.builds(BindResp, system_id=text(16), tlvs=TLVS)),
    st.tuples(
        st.sampled_from([Command.UNBIND, Command.UNBIND_RESP, Command.ENQUIRE_LINK, Command.GENERIC_NACK]), st.none()
    ),
    st.tuples(st.just(0x0000_0103), st.builds(Raw, st.binary(max_size=60))),
)
WORDS = st.integers(0, 0xFFFF_FFFF)
PDUS = st.builds(lambda cb, sequence, status: Pdu(int(cb[0]), sequence, cb[1], status), BODIES, WORDS, WORDS)


@given(PDUS)
def test_what_is_written_is_read(pdu: Pdu) -> None:
    """Every PDU comes back equal."""
    assert decode(encode(pdu)) == pdu


@given(st.lists(PDUS, max_size=5), st.data())
def test_any_cut_of_the_stream_yields_the_same(pdus: list[Pdu], data: st.DataObject) -> None:
    """However the network cuts the bytes, the same PDUs come out in the same order."""
    stream = b"".join(encode(pdu) for pdu in pdus)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    framer = Framer()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += [decode(frame) for frame in framer.feed(stream[start:end])]

    assert found == pdus


@given(st.binary(max_size=600))
def test_garbage_is_a_codec_error_or_nothing(garbage: bytes) -> None:
    """Any bytes at all end in PDUs, in waiting for more, or in a CodecError."""
    try:
        for frame in Framer().feed(garbage):
            decode(frame)
    except CodecError:
        pass


@given(PDUS, st.data())
def test_damaged_pdu_is_a_codec_error_or_another_pdu(pdu: Pdu, data: st.DataObject) -> None:
    """A PDU with one octet changed, or its body cut, never raises anything but a CodecError."""
    octets = bytearray(encode(pdu))
    octets[data.draw(st.integers(4, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(16, len(octets)))
    octets[:4] = struct.pack(">I", cut)
    told = None
    try:
        told = decode(bytes(octets[:cut])).sequence
    except BodyError as error:
        told = error.sequence

    assert told == struct.unpack_from(">I", octets, 12)[0]


@pytest.mark.parametrize("length", [0, 15, MAX_PDU + 1, 0x48545450])
def test_impossible_length_loses_the_stream(length: int) -> None:
    """A length that cannot be true is told; PDUs before it are not lost."""
    good = encode(Pdu(Command.ENQUIRE_LINK, 7))
    frames = Framer().feed(good + struct.pack(">IIII", length, 0, 0, 0))

    assert next(frames) == good
    with pytest.raises(FrameError):
        next(frames)


def test_waits_for_the_rest_without_growing() -> None:
    """A PDU that does not come whole yields nothing."""
    framer = Framer()

    assert list(framer.feed(struct.pack(">IIII", 100, 4, 0, 1))) == []
    assert list(framer.feed(b"x" * 83)) == []


def test_string_without_end_is_bounded() -> None:
    """A string that never ends is refused, and the error says which request it was."""
    frame = struct.pack(">IIII", 16 + 300, Command.SUBMIT_SM_RESP, 0, 9) + b"a" * 300

    with pytest.raises(BodyError) as raised:
        decode(frame)
    assert (raised.value.command, raised.value.sequence) == (Command.SUBMIT_SM_RESP, 9)


def test_error_responses_may_have_no_body() -> None:
    """Providers leave the body out when the status is an error (§4.4.2)."""
    submit = decode(struct.pack(">IIII", 16, Command.SUBMIT_SM_RESP, 0x58, 3))
    bind = decode(struct.pack(">IIII", 16, Command.BIND_TRANSCEIVER_RESP, 0x0E, 1))

    assert (submit.status, submit.body) == (0x58, MessageId())
    assert (bind.status, bind.body) == (0x0E, BindResp())


@pytest.mark.parametrize(
    "body",
    [
        ShortMessage(destination="7" * 21),
        ShortMessage(source="МЧС"),
        ShortMessage(source="a\0b"),
        ShortMessage(payload=b"x" * 255),
        ShortMessage(esm_class=256),
        ShortMessage(tlvs=((70000, b""),)),
    ],
)
def test_what_does_not_fit_is_refused(body: ShortMessage) -> None:
    """A value that SMPP cannot carry is an error before anything is written."""
    with pytest.raises(CodecError):
        encode(Pdu(Command.SUBMIT_SM, 1, body))


def test_frame_must_be_whole() -> None:
    """A frame that contradicts its own length is not read."""
    for frame in (b"\0" * 8, struct.pack(">IIII", 17, 21, 0, 1)):
        with pytest.raises(FrameError):
            decode(frame)
