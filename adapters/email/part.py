"""One text of a mail: what is the same for all is encoded once, what is personal for each.

Texts are quoted-printable or base64, so that no line is longer than 76 characters, nothing is 8-bit, and neither a
boundary nor a bare CR or LF can occur in them.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Mapping
from typing import Final

from relay.adapter import Hole, Template

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_LINE: Final = 76  # characters
_BASE64_LINE: Final = 57  # octets that make one line of 76
_SOFT_BREAK: Final = b"=\r\n"


class Part:
    """One text with its headers; ``before`` is written first, ``subtype`` is ``plain`` or ``html``."""

    def __init__(self, before: str, template: Template, subtype: str) -> None:
        literal = "".join(part for part in template.parts if not isinstance(part, Hole))
        # Mostly Latin stays readable in the raw; other scripts are shorter in base64.
        self._base64 = sum(not c.isascii() for c in literal) * 6 > len(literal)
        encoding = "base64" if self._base64 else "quoted-printable"
        headers = (
            f'{before}Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
        ).encode("ascii")
        parts = _ended(template.parts)
        self._pieces: list[bytes | Hole] = [headers]
        self._rest: list[bytes | Hole] = []
        if self._base64:
            self._begin_base64(parts)
        else:
            self._begin_quoted(parts)
        self._fixed = b"" if template.holes else self._encode({})

    def encoded(self, values: Mapping[Hole, str]) -> bytes:
        """Return the part with its headers, ending in a line end."""
        return self._fixed or self._encode(values)

    def _begin_base64(self, parts: list[str | Hole]) -> None:
        """Encode the whole lines before the first hole; where the others begin depends on what fills it."""
        rest = [part if isinstance(part, Hole) else _octets(part) for part in parts]
        first = rest[0]
        if isinstance(first, bytes):
            whole = len(first) // _BASE64_LINE * _BASE64_LINE
            self._pieces.append(_base64_lines(first[:whole]))
            rest[0] = first[whole:]
        self._rest = rest

    def _begin_quoted(self, parts: list[str | Hole]) -> None:
        """Encode what stands between the holes; each of them gets lines of its own, which the reader does not see."""
        for part in parts:
            if isinstance(part, Hole):
                if not (last := self._pieces[-1]) or isinstance(last, Hole) or not last.endswith(b"\n"):
                    self._pieces.append(_SOFT_BREAK)
                self._pieces += [part, _SOFT_BREAK]
            else:
                self._pieces.append(_quoted(part))

    def _encode(self, values: Mapping[Hole, str]) -> bytes:
        quoted = [_quoted(values[piece]) if isinstance(piece, Hole) else piece for piece in self._pieces]
        if self._base64:
            rest = [_octets(values[piece]) if isinstance(piece, Hole) else piece for piece in self._rest]
            quoted.append(_base64_lines(b"".join(rest)))
        return b"".join(quoted)


def _ended(parts: tuple[str | Hole, ...]) -> list[str | Hole]:
    """Return ``parts`` without the line ends at the end, and with one."""
    kept = list(parts)
    while kept and not isinstance(last := kept[-1], Hole):  # a hole is a string too
        kept.pop()
        if stripped := last.rstrip("\r\n"):
            return [*kept, stripped + "\r\n"]
    return [*kept, "\r\n"]


def _octets(text: str) -> bytes:
    return _LINE_END.sub("\r\n", text).encode("utf-8", "replace")


def _base64_lines(octets: bytes) -> bytes:
    encoded = b2a_base64(octets, newline=False)
    return b"".join([encoded[start : start + _LINE] + b"\r\n" for start in range(0, len(encoded), _LINE)])


def _quoted(text: str) -> bytes:
    """Return ``text`` in quoted-printable; its last line has room for the sign that a line goes on."""
    octets = _octets(text)
    encoded = _BARE_LF.sub(b"\r\n", b2a_qp(octets, quotetabs=False, istext=True))
    last = encoded.rfind(b"\n") + 1
    if len(encoded) - last < _LINE:
        return encoded
    cut = len(encoded) - 4
    cut -= 1 + encoded[cut - 2 : cut][::-1].find(b"=") if b"=" in encoded[cut - 2 : cut] else 0
    return encoded[:cut] + _SOFT_BREAK + encoded[cut:]
