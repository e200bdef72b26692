"""Which encoding an XML document is read in: byte order mark, then Content-Type, then its declaration (RFC 7303 §3)."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from relay.cap.rules import refusal

_EIGHT_BIT = frozenset(
    {"koi8-r", "koi8-u", "koi8-t", "kz1048", "ptcp154", "mac-cyrillic", "mac-roman", "tis-620", "hp-roman8"}
    | {f"iso8859-{n}" for n in range(1, 17)}
    | {f"cp{n}" for n in (437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866)}
    | {"cp869", "cp874", "cp1125"}
    | {f"cp{n}" for n in range(1250, 1259)}
)
_READ = _EIGHT_BIT | {"utf-8", "utf-16", "utf-16-be", "utf-16-le", "ascii"}
_UTF_32 = (b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\x00<", b"<\x00\x00\x00")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def codec_name(charset: str) -> str:
    """Return Python's name of an encoding that the relay reads; empty for any other."""
    try:
        name = codecs.lookup(charset.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return ""
    return name if name in _READ else ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The encoding that wins over the declaration (empty: the declaration decides), and who said so."""

    encoding: str
    by: str = ""

    def differs(self, declared: str) -> bool:
        """Whether the declaration names another encoding than the one that is used."""
        if not self.encoding or not declared:
            return False
        return not codec_name(declared).startswith(self.encoding)


def choose(body: bytes, charset: str | None) -> Choice:
    """Return the encoding of ``body``; ``charset`` is the parameter of Content-Type, if any.

    Raises:
        relay.errors.InvalidAlert: slug ``unsupported-charset`` (415 for Content-Type, 400 for UTF-32).
    """
    if body.startswith(_UTF_32):
        raise refusal("charset", charset="UTF-32")
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return Choice(encoding, "BOM")
    if not charset:
        return Choice("")
    name = codec_name(charset)
    if not name:
        raise refusal("charset-http", charset=charset)
    return Choice(name, "Content-Type")


def check_declared(encoding: str) -> None:
    """Refuse a declared encoding that the relay does not read.

    Raises:
        relay.errors.InvalidAlert: slug ``unsupported-charset``, status 400.
    """
    if not codec_name(encoding):
        raise refusal("charset", charset=encoding)
