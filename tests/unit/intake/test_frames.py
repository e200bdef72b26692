"""The journal's frames: nothing good is lost and nothing wrong is believed, whatever happens to the file."""

from __future__ import annotations

import pytest

from relay.intake.frames import (
    FRAME_BYTES,
    HEADER_BYTES,
    MAX_PAYLOAD,
    Damage,
    Frame,
    FrameType,
    Header,
    decode_header,
    encode_frame,
    scan,
)

MARKER = b"\x91mark\x00\xfe\x07"
HEADER = Header(node="node-1", epoch=3, base=10, marker=MARKER)
PAYLOADS = [b"first", b"", b"\x00\xff" * 40, b"<alert/>" * 9, b"last words"]
FRAMES = tuple(Frame(seq=10 + n, type=FrameType.ACCEPT, payload=body) for n, body in enumerate(PAYLOADS))


def build(frames: tuple[Frame, ...] = FRAMES, header: Header = HEADER) -> bytes:
    return header.encode() + b"".join(
        encode_frame(header.marker, seq=f.seq, frame_type=f.type, payload=f.payload) for f in frames
    )


def ends(frames: tuple[Frame, ...] = FRAMES) -> list[int]:
    """The offset after the header and after each frame."""
    offsets = [HEADER_BYTES]
    for frame in frames:
        offsets.append(offsets[-1] + FRAME_BYTES + len(frame.payload))
    return offsets


def test_what_was_written_is_read() -> None:
    """A whole segment gives back its header and every frame in order."""
    content = build()

    found = scan(content)

    assert found.header == HEADER
    assert found.frames == FRAMES
    assert (found.good_until, found.torn, found.damage) == (len(content), 0, ())


def test_torn_at_every_byte() -> None:
    """Cut at any byte of the last three frames, exactly the frames before the cut remain, and it is no damage (F12)."""
    content, offsets = build(), ends()

    for cut in range(offsets[2], len(content) + 1):
        whole = sum(1 for end in offsets[1:] if end <= cut)
        found = scan(content[:cut])

        assert found.frames == FRAMES[:whole]
        assert found.damage == ()
        assert found.good_until == offsets[whole]
        assert found.torn == cut - offsets[whole]


@pytest.mark.parametrize("value", [0x01, 0x80, 0xFF])
def test_every_byte_of_a_frame_flipped(value: int) -> None:
    """A flipped byte anywhere in a frame loses that frame only, and is reported as damage (F12)."""
    content, offsets = build(), ends()

    for at in range(offsets[2], offsets[3]):
        broken = bytearray(content)
        broken[at] ^= value
        found = scan(bytes(broken))

        assert found.frames == FRAMES[:2] + FRAMES[3:]
        assert found.damage == (Damage(offsets[2], offsets[3]),)


def test_every_byte_of_the_last_frame_flipped() -> None:
    """A flipped byte in the last frame looks like a torn tail: the frame is dropped, never believed."""
    content, offsets = build(), ends()

    for at in range(offsets[-2], offsets[-1]):
        broken = bytearray(content)
        broken[at] ^= 0x10
        found = scan(bytes(broken))

        assert found.frames == FRAMES[:-1]
        assert found.good_until == offsets[-2]


def test_every_byte_of_the_header_flipped() -> None:
    """A damaged header is reported, and the frames are still found by the marker that the first one carries."""
    content = build()

    for at in range(HEADER_BYTES):
        broken = bytearray(content)
        broken[at] ^= 0xFF
        found = scan(bytes(broken))

        assert found.header is None
        assert found.frames == FRAMES
        assert found.damage == (Damage(0, HEADER_BYTES),)


def test_zeros_after_the_last_frame_are_a_torn_tail() -> None:
    """A file that grew before its data reached the disk ends in zeros: nothing is wrong with it."""
    content = build()

    found = scan(content + bytes(4096))

    assert found.frames == FRAMES
    assert found.damage == ()
    assert found.torn == 4096


@pytest.mark.parametrize("content", [b"", b"CHAPAR", bytes(HEADER_BYTES - 1), bytes(4096), b"\xff" * 500])
def test_no_segment_at_all(content: bytes) -> None:
    """A file that is no segment gives nothing, without an error."""
    found = scan(content)

    assert found.frames == ()
    assert found.header is None
    assert found.good_until == 0


def test_a_body_cannot_imitate_a_frame() -> None:
    """Frames hidden in an alert's body are not found when the frame around them is damaged."""
    forged = build((Frame(99, FrameType.CONTROL, b"stop"),), Header(node="x", epoch=1, base=1, marker=b"guessed!"))
    frames = (FRAMES[0], Frame(11, FrameType.ACCEPT, forged), Frame(12, FrameType.ACCEPT, b"after"))
    broken = bytearray(build(frames))
    broken[ends(frames)[1] + FRAME_BYTES] ^= 1

    found = scan(bytes(broken))

    assert found.frames == (frames[0], frames[2])


def test_an_older_frame_never_comes_back() -> None:
    """Sequence numbers only rise inside a segment: a stale frame after newer ones is not believed."""
    stale = Frame(seq=3, type=FrameType.ACCEPT, payload=b"stale")

    found = scan(build((*FRAMES, stale)))

    assert found.frames == FRAMES


def test_a_newer_format_is_not_guessed() -> None:
    """A header of a format we do not know is not read as ours."""
    newer = Header(node="n", epoch=1, base=1, marker=MARKER, version=2)

    assert decode_header(newer.encode()) is None


def test_limits_are_enforced_when_writing() -> None:
    """What could not be read back is never written."""
    with pytest.raises(ValueError, match="at most"):
        encode_frame(MARKER, seq=1, frame_type=FrameType.ACCEPT, payload=bytes(MAX_PAYLOAD + 1))
    with pytest.raises(ValueError, match="node id"):
        Header(node="n" * 33, epoch=1, base=1, marker=MARKER).encode()
