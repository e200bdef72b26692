from __future__ import annotations

import codecs

import pytest

from relay.cap.charsets import check_declared, choose, codec_name
from relay.errors import InvalidAlert


@pytest.mark.parametrize(
    "name", ["windows-1251", "koi8-r", "cp866", "ISO-8859-1", "UTF-8", "utf-16", "us-ascii", "'utf-8'"]
)
def test_common_encodings_are_read(name: str) -> None:
    """CAP-041: what old systems of the region write is read."""
    assert codec_name(name)


@pytest.mark.parametrize(
    "name", ["utf-7", "ibm037", "x-unknown", "utf-32", "rot13", "unicode_escape", "", "\x00", "gb18030"]
)
def test_others_are_not(name: str) -> None:
    """CAP-041: encodings that hide text from a reader, and unknown ones, are not."""
    assert codec_name(name) == ""


def test_byte_order_mark_beats_content_type() -> None:
    """RFC 7303: a byte order mark decides, then Content-Type, then the declaration."""
    assert choose(codecs.BOM_UTF8 + b"<a/>", "windows-1251").encoding == "utf-8"
    assert choose(b"<a/>", "windows-1251").encoding == "cp1251"
    assert choose(b"<a/>", None).encoding == ""


def test_unusable_charsets_are_refused() -> None:
    """BI-052, BI-112: 415 when Content-Type names it, 400 when the document does."""
    with pytest.raises(InvalidAlert) as http:
        choose(b"<a/>", "utf-7")
    with pytest.raises(InvalidAlert) as wide:
        choose("<a/>".encode("utf-32"), None)
    with pytest.raises(InvalidAlert) as declared:
        check_declared("ebcdic-cp-us")

    assert [error.value.status for error in (http, wide, declared)] == [415, 400, 400]
    assert {error.value.slug for error in (http, wide, declared)} == {"unsupported-charset"}


def test_disagreement_is_noticed() -> None:
    """A declaration that names another encoding than the one used is noticed; utf-16 covers its byte orders."""
    assert choose(b"<a/>", "utf-8").differs("windows-1251")
    assert not choose(b"<a/>", "utf-8").differs("UTF-8")
    assert not choose(codecs.BOM_UTF16_LE, None).differs("utf-16le")
    assert not choose(b"<a/>", None).differs("koi8-r")
