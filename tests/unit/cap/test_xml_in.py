from __future__ import annotations

import codecs

import pytest

from relay.cap.limits import Limits
from relay.cap.xml_in import read_xml
from tests.unit.cap.samples import ALERT, read, refused, rules, with_

RUSSIAN = with_("Earthquake", "Землетрясение").replace("<language>en", "<language>ru")


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "cp866", "utf-16", "utf-8", "ISO-8859-5"])
def test_declared_encodings(charset: str) -> None:
    """CAP-041: the encodings of old systems are read as declared."""
    document = RUSSIAN.replace("UTF-8", charset).encode(charset)

    assert read(document).alert.info[0].event == "Землетрясение"


def test_latin_1() -> None:
    """CAP-041: ISO-8859-1 is read as declared."""
    document = with_("Earthquake", "Séisme").replace("UTF-8", "iso-8859-1").encode("iso-8859-1")

    assert read(document).alert.info[0].event == "Séisme"


def test_byte_order_mark_is_accepted() -> None:
    """A BOM (Notepad, PowerShell) is no error; it beats a wrong declaration, and that is recorded."""
    parsed = read(codecs.BOM_UTF8 + RUSSIAN.replace("UTF-8", "windows-1251").encode())

    assert read(codecs.BOM_UTF8 + ALERT.encode(), charset="utf-8").findings == ()
    assert parsed.alert.info[0].event == "Землетрясение"
    assert rules(parsed.findings) == [("CAP-041", "fixed")]


def test_content_type_beats_the_declaration() -> None:
    """RFC 7303: an explicit charset wins over the declaration; bytes that do not fit it are refused with the line."""
    body = RUSSIAN.encode("cp1251")

    error = refused(body.replace(b"UTF-8", b"windows-1251"), charset="utf-8")

    assert read(body, charset="windows-1251").alert.info[0].event == "Землетрясение"
    assert (error.status, error.slug, error.findings[0].line) == (400, "malformed-xml", 12)
    assert refused(body, charset="utf-7").status == 415


def test_comments_and_instructions_are_passed_over() -> None:
    """BI-114, BI-126: a stylesheet is never followed, a comment inside a value only joins its parts."""
    parsed = read(with_("<alert", '<?xml-stylesheet href="x.xsl"?><alert').replace("Actual", "Act<!-- -->ual"))

    assert parsed.alert.status == "Actual"
    assert rules(parsed.findings) == [("RELAY-COMMENT", "fixed")]


def test_foreign_elements_are_kept() -> None:
    """CAP-043, CAP-044: a signature and extensions survive, and their words are not read as CAP."""
    foreign = '<x:extra xmlns:x="urn:x" a="1">one<x:two/> &amp; <identifier>no</identifier></x:extra>'
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/></Signature>'

    parsed = read(with_("</alert>", signature + "</alert>").replace("</area>", foreign + "</area>"))

    assert parsed.findings == ()
    assert parsed.alert.extensions[0].startswith('<Signature xmlns="http://www.w3.org/2000/09/xmldsig#">')
    assert "<x:two></x:two> &amp; <identifier>no</identifier>" in parsed.alert.info[0].area[0].extensions[0]


def test_unknown_cap_element() -> None:
    """RELAY-UNKNOWN: an element that CAP 1.2 does not have here is kept with a warning; strict mode refuses it."""
    document = with_("</scope>", "</scope><password>x</password>")

    assert rules(read(document).findings) == [("RELAY-UNKNOWN", "warning")]
    assert "<password" in read(document).alert.extensions[0]
    assert refused(document, strict=True).slug == "unknown-field"


def test_element_that_lost_its_namespace() -> None:
    """BI-122: a CAP element without its namespace is not read as CAP, and that is said."""
    parsed = read(with_("<area>", '<area xmlns="">'))

    assert parsed.alert.info[0].area == ()
    assert [(f.rule, f.path) for f in parsed.findings] == [
        ("RELAY-UNKNOWN", "/alert/info[1]/area[1]"),
        ("CAP-039", "/alert/info[1]"),
    ]


def test_markup_inside_a_value() -> None:
    """CAP-022: words inside markup are kept, the markup is not."""
    parsed = read(with_("Earthquake", "Earth<b>qua<i>ke</i></b>"))

    assert parsed.alert.info[0].event == "Earthquake"
    assert rules(parsed.findings) == [("CAP-022", "warning")]


def test_attributes() -> None:
    """BI-131: an xsi attribute is refused and nothing is fetched; any other is ignored with a warning."""
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://x.example/"'

    assert refused(with_("<alert", f"<alert {xsi}")).slug == "unknown-attribute"
    assert rules(read(with_("<event>", '<event id="1">')).findings) == [("RELAY-ATTRIBUTE", "warning")]


def test_stray_text() -> None:
    """Text between elements is ignored with a warning."""
    assert rules(read(with_("<scope>", "hello<scope>")).findings) == [("RELAY-TEXT", "warning")]


def test_lines_are_known() -> None:
    """Every node knows the line on which it begins."""
    root = read_xml(ALERT.encode(), charset=None, limits=Limits(), strict=False)

    assert [child.line for child in root.children] == [3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("body", [b"", b"  \n", codecs.BOM_UTF8, b"<alert", b"\x00\x01\x02", b"{}", b"<a></b>"])
def test_no_document(body: bytes) -> None:
    """BI-047: nothing, and what is no XML, is 400."""
    assert (refused(body).status, refused(body).slug) == (400, "malformed-xml")
