"""How an alert lies in its hash: what scripts use in fields of its own, all else packed into one text.

Redis keeps a hash in one block while no value is longer than 64 bytes, and takes 60 to 80 bytes more for every field
of any other.  So the packed text is cut into short pieces (fields ``0``, ``1``, …); a long one is one field.

    packed   version u8 | length of the original bytes u16 | half of the crc32 of what follows u16
             | deflated: original, facts

The original bytes come first, for most facts stand in them already.  Facts are the values of :data:`_NAMES` and then a
JSON object with all others, each ended by a zero byte.  Alerts of the first version have every fact in a field, and
the original bytes in ``raw``; so have long ones still.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping
from importlib import resources

import orjson

from relay.cap.references import message_key
from relay.cap.times import read_time
from relay.store.packing import pack

VERSION = 2
RAW = "raw"

#: Longer alerts have their original bytes in a field of their own: who asks for facts need not unpack them.
WHOLE = 8 * 1024

_DIGITS = 17
_PIECE = 63  # one less than Redis allows by default: up to here the length takes one byte
_MOST_PIECES = 48  # with the other fields far below the 128 fields from which on a hash is no block any more
_HEAD = struct.Struct("<BHH")
#: Stands for a digest that the rest of the alert gives: K0 and sha256 are of its bytes, K1 is of its triple.
GIVEN = "="
_END = "\0"

#: The order in which facts are written: part of the format.
_NAMES = (
    *("identifier", "sender", "sent", "status", "scope", "msgType", "event", "headline", "severity", "areas", "note"),
    *("agency", "key", "mode", "media", "charset", "content_type", "findings", "referenced", "referenced_from"),
    *("again", "node", "class", "k0", "k1", "received", "expires"),
)
_PACKED = frozenset(_NAMES)

#: What the deflater knows beforehand: part of the format too, so a new one gets a new name and a new version.
_WORDS = resources.files("relay.store").joinpath("alert_words_1.txt").read_bytes()
_WINDOW = 14  # for the words and the longest original
_PACKER = zlib.compressobj(3, zlib.DEFLATED, -_WINDOW, 5, zlib.Z_DEFAULT_STRATEGY, _WORDS)
_UNPACKER = zlib.decompressobj(-zlib.MAX_WBITS, _WORDS)


def digest_end(digest: str) -> str:
    """Return what Redis keeps of a digest of content or bytes: 68 bits, to tell alerts of one triple apart."""
    return digest[-_DIGITS:]


def to_fields(facts: Mapping[str, str], raw: bytes) -> list[str | bytes]:
    """Return fields and values, in turn, for an alert with these facts and original bytes; its id is not among them.

    ``sha256`` and ``k0`` are not kept where the original bytes give them, nor is a ``k1`` that is :data:`GIVEN`.
    """
    own: list[str | bytes] = []
    packed: dict[str, str] = {}
    for name, value in facts.items():
        if name in _PACKED or name == "sha256":
            packed[name] = value
        elif name != "id":
            own += (name, value)
    whole = len(raw) <= WHOLE
    if not whole:
        own += (RAW, pack(raw))
    elif (digest := packed.get("sha256")) and packed.get("k0", "").removeprefix("t.") == digest:
        del packed["sha256"]
        packed["k0"] = GIVEN
    text = _pack(packed, raw if whole else b"")
    if len(text) > _PIECE * _MOST_PIECES:
        return [*own, "0", text]
    for number, at in enumerate(range(0, len(text), _PIECE)):
        own += (str(number), text[at : at + _PIECE])
    return own


def from_fields(alert_id: str, pairs: Iterable[tuple[bytes, bytes]], *, with_raw: bool) -> tuple[dict[str, str], bytes]:
    """Return the facts and the original bytes (empty without ``with_raw``) of an alert's hash, whatever its version.

    What is damaged is missing.
    """
    own: dict[str, str] = {"id": alert_id}
    pieces: dict[int, bytes] = {}
    raw = b""
    for name, value in pairs:
        if name.isdigit():
            pieces[int(name)] = value
        elif name == b"raw":
            raw = zlib.decompress(value) if with_raw else b""
        else:
            own[name.decode()] = value.decode()
    if not pieces:
        return own, raw
    text = b"".join([pieces[number] for number in sorted(pieces)])
    facts, original = _unpack(text)
    return {**facts, **own}, (raw or original) if with_raw else b""


def without_raw(facts: Mapping[str, str]) -> list[str | bytes]:
    """Return the fields of a short note of an alert: its facts, but for the long ones, and no original bytes."""
    kept = {
        name: value for name, value in facts.items() if name in _PACKED and name not in ("findings", "areas", "note")
    }
    text = _pack(kept, b"")
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    return [part for number, piece in enumerate(pieces) for part in (str(number), piece)]


def _pack(facts: Mapping[str, str], raw: bytes) -> bytes:
    values = [facts.get(name, "") for name in _NAMES]
    rest = {name: facts[name] for name in facts.keys() - _PACKED}
    text = _END.join(values)
    if text.count(_END) >= len(_NAMES):
        rest, text = dict(facts), _END * (len(_NAMES) - 1)
    content = raw + f"{text}{_END}{orjson.dumps(rest).decode() if rest else ''}".encode()
    packer = _PACKER.copy()
    deflated = packer.compress(content) + packer.flush()
    return _HEAD.pack(VERSION, len(raw), zlib.crc32(deflated) & 0xFFFF) + deflated


def _unpack(text: bytes) -> tuple[dict[str, str], bytes]:
    version, length, check = _HEAD.unpack_from(text)
    deflated = text[_HEAD.size :]
    if version != VERSION or zlib.crc32(deflated) & 0xFFFF != check:
        return {}, b""
    content = _UNPACKER.copy().decompress(deflated)
    raw, values = content[:length], content[length:].decode().split(_END)
    facts = {name: value for name, value in zip(_NAMES, values, strict=False) if value}
    if values[-1]:
        facts.update(orjson.loads(values[-1]))
    mode = "t." if facts.get("mode") == "test" else ""
    if facts.get("k0") == GIVEN:
        facts["sha256"] = hashlib.sha256(raw).hexdigest()
        facts["k0"] = mode + facts["sha256"]
    sent = read_time(facts.get("sent", "")).time
    if facts.get("k1") == GIVEN and sent is not None:
        facts["k1"] = mode + message_key(facts.get("sender", ""), facts.get("identifier", ""), sent)
    return facts, raw
