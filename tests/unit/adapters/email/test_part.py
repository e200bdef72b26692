"""One text of a mail: whatever it holds and wherever its holes are, it arrives, in lines that every server takes."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.email.part import Part
from relay.adapter import Hole, Template

TEXT = st.text(st.sampled_from("ab =.\t-\nж😀\r") | st.characters(exclude_categories=["Cs"]), max_size=200)
LATIN = st.text(st.sampled_from("ab =.\t-\né"), max_size=200)


def arrived(parts: tuple[str | Hole, ...], values: dict[Hole, str]) -> str:
    """Encode, check the lines, and decode with the standard library."""
    raw = Part("", Template(parts), "plain").encoded(values)
    message = message_from_bytes(raw, policy=policy.SMTP)

    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.partition(b"\r\n\r\n")[2].split(b"\r\n")) <= 76
    assert isinstance(message, EmailMessage)
    assert not message.defects
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def expected(parts: tuple[str | Hole, ...], values: dict[Hole, str]) -> str:
    """Return what a reader must see."""
    text = "".join(_lines(values[part] if isinstance(part, Hole) else part) for part in parts)
    return text.rstrip("\r\n") + "\r\n"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


@given(before=TEXT | LATIN, value=TEXT, between=TEXT | LATIN, after=TEXT | LATIN)
@example(before="a" * 75, value="b" * 75, between="c" * 76, after="d" * 77)
@example(before="é" * 40, value="https://relay.example/a/1", between="x ", after=" ")
def test_text_arrives(before: str, value: str, between: str, after: str) -> None:
    """Every character is read back, in either encoding."""
    parts = (before, Hole.NAME, between, Hole.ACK_URL, Hole.NAME, after + "end")
    values = {Hole.NAME: value, Hole.ACK_URL: "https://relay.example/a/0"}

    assert arrived(parts, values) == expected(parts, values)


@given(text=LATIN, length=st.integers(60, 90))
def test_lines_that_just_fit(text: str, length: int) -> None:
    """A line that ends in a hole leaves room for the sign that it goes on."""
    parts = (text + "z" * length, Hole.NAME, "é" * (length // 3), Hole.NAME, "end")
    values = {Hole.NAME: "y" * length}

    assert arrived(parts, values) == expected(parts, values)


@pytest.mark.parametrize("parts", [(), ("",), ("\r\n",), (Hole.NAME,), (Hole.NAME, "\n\n"), ("a\n", "", "\n")])
def test_empty_texts(parts: tuple[str | Hole, ...]) -> None:
    """A text of nothing but line ends is one line end."""
    values = {Hole.NAME: "Squad"}

    assert arrived(parts, values).rstrip("\r\n") == expected(parts, values).rstrip("\r\n")


def test_what_is_the_same_for_all_is_encoded_once() -> None:
    """Between two deliveries only what fills the holes is encoded."""
    part = Part("", Template(("Stay inside. " * 20, Hole.NAME, " Do not drive. " * 20)), "plain")
    first, second = part.encoded({Hole.NAME: "A"}), part.encoded({Hole.NAME: "B"})

    assert [a for a, b in zip(first.split(b"\r\n"), second.split(b"\r\n"), strict=True) if a != b] == [b"A="]
