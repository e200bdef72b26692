"""What lies in an alert's hash is what was given, in as little room as Redis allows; the version before is read."""

import hashlib
import random
import zlib
from collections.abc import Sequence

import pytest

from relay.cap.references import message_key
from relay.cap.times import read_time
from relay.store import alert_fields
from relay.store.alert_fields import GIVEN, digest_end, from_fields, to_fields, without_raw
from relay.store.packing import pack

RAW = b"<alert><identifier>a-1</identifier><headline>\xd0\xa1\xd0\xb5\xd0\xbb\xd1\x8c</headline></alert>"
DIGEST = hashlib.sha256(RAW).hexdigest()
FACTS = {
    "id": "alert",
    "identifier": "a-1",
    "headline": "Сель",
    "class": "P1",
    "received": "1795310000000",
    "findings": "[]",
    "k0": DIGEST,
    "sha256": DIGEST,
}


def read(fields: Sequence[str | bytes], *, with_raw: bool = True) -> tuple[dict[str, str], bytes]:
    """Read fields as Redis returns them."""
    texts = [part.encode() if isinstance(part, str) else part for part in fields]
    return from_fields("alert", zip(texts[::2], texts[1::2], strict=True), with_raw=with_raw)


@pytest.mark.parametrize("length", [0, 1, 4000, 8192, 8193, 100_000])
def test_alerts_of_any_length_come_back(length: int) -> None:
    """Facts and bytes are the same again; without the bytes the facts are."""
    raw = random.Random(length).randbytes(length)
    facts = FACTS | {"sha256": hashlib.sha256(raw).hexdigest(), "k0": hashlib.sha256(raw).hexdigest()}
    fields = to_fields(facts, raw)

    assert read(fields) == (facts, raw)
    assert read(fields, with_raw=False) == (facts, b"")


@pytest.mark.parametrize(
    "more",
    [
        {"headline": "a\0b"},
        {"legs": "x,y", "cancelled_by": "c"},
        {"k0": f"t.{DIGEST}", "mode": "test"},
        {"k0": "other", "sha256": "another"},
    ],
)
def test_odd_facts_come_back(more: dict[str, str]) -> None:
    """Zero bytes, facts that scripts write, a test key's digest, and digests that are not of these bytes."""
    facts = FACTS | more

    assert read(to_fields(facts, RAW)) == (facts, RAW)


@pytest.mark.parametrize("mode", ["live", "test"])
def test_triple_gives_its_digest(mode: str) -> None:
    """K1 need not be kept: it is computed of what is there, as for every reference to the alert."""
    triple = {"sender": "duty@meteo.example", "identifier": "a-1", "sent": "2026-03-01T14:05:00+05:00"}
    time = read_time(triple["sent"]).time
    assert time is not None
    digest = message_key(triple["sender"], triple["identifier"], time)
    facts, _ = read(to_fields({**FACTS, **triple, "mode": mode, "k1": GIVEN}, RAW))

    assert facts["k1"] == (f"t.{digest}" if mode == "test" else digest)


def test_short_values_keep_the_hash_in_one_block() -> None:
    """No value of an ordinary alert is longer than 64 bytes, and there are few fields, so that Redis needs one block."""
    raw = random.Random(1).randbytes(2500)
    fields = to_fields(FACTS, raw)

    assert max(len(value) for value in fields[1::2]) <= 64
    assert len(fields) // 2 < 64


def test_words_of_alerts_cost_little() -> None:
    """What every alert says takes next to nothing."""
    said = alert_fields._WORDS[-1000:]
    size = sum(map(len, to_fields(FACTS | {"sha256": "", "k0": ""}, said)[1::2]))

    assert size < 130


def test_words_never_change() -> None:
    """What was packed with them is read with them: other words are another file and another version."""
    assert zlib.crc32(alert_fields._WORDS) == 3848815134


def test_first_version_is_read() -> None:
    """There every fact has a field, and the bytes are in ``raw``."""
    old = [part for pair in FACTS.items() for part in pair]

    assert read([*old, "raw", pack(RAW)]) == (FACTS, RAW)


def test_what_is_damaged_is_missing() -> None:
    """A bit that turned over is not an alert that says something else; what scripts wrote stands."""
    fields = [*to_fields(FACTS, RAW), "state", "active"]
    piece = fields[1]
    assert isinstance(piece, bytes)
    fields[1] = piece[:-1] + bytes([piece[-1] ^ 1])

    assert read(fields) == ({"id": "alert", "state": "active"}, b"")


def test_note_has_the_short_facts() -> None:
    """The note of an archived alert has neither the bytes nor the long texts, and keeps its digests."""
    facts, raw = read(without_raw(FACTS))

    assert (facts["headline"], facts["k0"], raw) == ("Сель", DIGEST, b"")
    assert "findings" not in facts


def test_end_of_a_digest() -> None:
    """68 bits tell the few alerts of one triple apart."""
    assert digest_end(DIGEST) == DIGEST[-17:]
    assert digest_end("short") == "short"
