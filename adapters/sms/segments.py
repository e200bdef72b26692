"""Cutting one text into the parts of an SMS, each with what SMPP must say about it."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

from adapters.sms import gsm

CONCATENATED: Final = 0x40  # esm_class: the payload begins with a user data header
_GSM_WHOLE: Final = 160
_GSM_PART: Final = 153
_UCS2_WHOLE: Final = 140  # octets: 70 UTF-16 units
_UCS2_PART: Final = 134  # 67 units
_MAX_PARTS: Final = 255
_MAX_PAYLOAD: Final = 65_535
_ZERO_WIDTH_JOINER: Final = "\u200d"
# One UTF-16 unit each and none ever joined to its neighbour: Latin, Greek, Cyrillic and Arabic letters, digits, signs.
_SEPARATE: Final = re.compile(
    "[\n -~\u00a0-\u02ff\u0370-\u0482\u048a-\u0556\u0620-\u064a\u0660-\u066f"
    "\u0671-\u06d5\u06f0-\u06fc\u2010-\u2027\u20ac\u2116]*"
)


class TooLong(ValueError):
    """The text needs more than 255 parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A text as octets of one alphabet, cut into ``pieces`` without headers; ``ucs2`` says which alphabet."""

    ucs2: bool
    pieces: tuple[bytes, ...]

    def payloads(self, reference: int) -> tuple[bytes, ...]:
        """Return the pieces as they travel: more than one carry an 8-bit concatenation header (TS 23.040)."""
        if len(self.pieces) == 1:
            return self.pieces
        total = len(self.pieces)
        head = bytes((5, 0, 3, reference & 0xFF, total))
        return tuple([head + bytes((number,)) + piece for number, piece in enumerate(self.pieces, start=1)])


@lru_cache(maxsize=256)
def cut(text: str) -> Cut:
    """Return ``text`` in as few parts as its alphabet allows; pairs and, where it costs no part, graphemes stay whole.

    Raises:
        TooLong: more than 255 parts.
    """
    septets = gsm.encode(text)
    result = Cut(ucs2=septets is None, pieces=_cut_ucs2(text) if septets is None else _cut_gsm(septets))
    if len(result.pieces) > _MAX_PARTS:
        raise TooLong(f"{len(result.pieces)} parts")
    return result


def whole(text: str) -> Cut:
    """Return ``text`` uncut, for the ``message_payload`` parameter.

    Raises:
        TooLong: more than 65,535 octets.
    """
    septets = gsm.encode(text)
    result = Cut(ucs2=septets is None, pieces=(_utf16(text) if septets is None else septets,))
    if len(result.pieces[0]) > _MAX_PAYLOAD:
        raise TooLong("more than 65,535 octets")
    return result


def _utf16(text: str) -> bytes:
    # A lone surrogate is not text; what a phone would show for it is said in advance instead of failing the message.
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace").encode("utf-16-be")


def _cut_gsm(septets: bytes) -> tuple[bytes, ...]:
    if len(septets) <= _GSM_WHOLE:
        return (septets,)
    pieces: list[bytes] = []
    start = 0
    while start < len(septets):
        end = min(start + _GSM_PART, len(septets))
        # The last octet of an escape pair is never ESCAPE itself, so an ESCAPE at the end is the first half of a pair.
        if end < len(septets) and septets[end - 1] == gsm.ESCAPE:
            end -= 1
        pieces.append(septets[start:end])
        start = end
    return tuple(pieces)


def _cut_ucs2(text: str) -> tuple[bytes, ...]:
    if _SEPARATE.fullmatch(text):
        octets = text.encode("utf-16-be")
        step = _UCS2_PART if len(octets) > _UCS2_WHOLE else _UCS2_WHOLE
        return tuple([octets[start : start + step] for start in range(0, len(octets), step)])
    return _cut_joined(text)


def _cut_joined(text: str) -> tuple[bytes, ...]:
    octets = _utf16(text)
    if len(octets) <= _UCS2_WHOLE:
        return (octets,)
    text = octets.decode("utf-16-be")
    offsets = list(accumulate([4 if char > "\uffff" else 2 for char in text], initial=0))
    ends = _part_ends(text, offsets, graphemes=False)
    whole_graphemes = _part_ends(text, offsets, graphemes=True)
    # A border that costs one part more is not worth it: the renderer has counted, and maybe shortened, for this many.
    ends = whole_graphemes if len(whole_graphemes) == len(ends) else ends
    return tuple([octets[offsets[start] : offsets[end]] for start, end in pairwise([0, *ends])])


def _part_ends(text: str, offsets: list[int], *, graphemes: bool) -> list[int]:
    """Return the indices where the parts end; a surrogate pair is one character here and so never cut."""
    ends: list[int] = []
    start = 0
    while start < len(text):
        # The first offset beyond the room of this part is one past its end.
        end = bisect_right(offsets, offsets[start] + _UCS2_PART) - 1
        start = _border(text, start, end) if graphemes and end < len(text) else end
        ends.append(start)
    return ends


def _border(text: str, start: int, end: int) -> int:
    """Return the last grapheme border in the part from ``start`` to ``end``."""
    border = end
    while border > start and _joined(text, border):
        border -= 1
    return border if border > start else end  # a grapheme longer than a part is cut between its characters


def _joined(text: str, at: int) -> bool:
    """Return whether the characters on both sides of ``at`` belong to one grapheme (the cases that occur in SMS)."""
    before, after = text[at - 1], text[at]
    if _ZERO_WIDTH_JOINER in (before, after) or unicodedata.category(after).startswith("M"):
        return True
    if before == "\r" and after == "\n":
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff":  # skin tones
        return True
    if not (_is_flag(before) and _is_flag(after)):
        return False
    first = at
    while first > 0 and _is_flag(text[first - 1]):
        first -= 1
    return (at - first) % 2 == 1  # flags are pairs of regional indicators


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
