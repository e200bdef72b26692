"""Inputs of classes E (JSON) and F (XML) of the bad-input corpus: each gets the answer written beside it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from relay.cap.parse import Limits, parse_json, parse_xml
from relay.errors import InvalidAlert
from tests.unit.cap.samples import ALERT, INFO, NAMESPACE, POLYGON, json_alert, read, with_

BAD = Path(__file__).parents[2] / "corpus" / "bad"
FILES = sorted(path for path in BAD.glob("[ef]/*") if path.suffix in {".json", ".xml"})


def parse(body: bytes, *, xml: bool, strict: bool) -> None:
    if xml:
        parse_xml(body, charset=None, limits=Limits(), strict=strict)
    else:
        parse_json(body, limits=Limits(), strict=strict)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_bad_document_gets_the_expected_answer(path: Path) -> None:
    """A bad document is refused with the status, problem type and rule that its sidecar names; what only the strict
    mode refuses, the lenient one accepts."""
    expect: dict[str, Any] = json.loads(path.with_suffix(".expect").read_text())
    strict_only = expect.get("mode") == "strict"
    xml = path.suffix == ".xml"

    with pytest.raises(InvalidAlert) as refusal:
        parse(path.read_bytes(), xml=xml, strict=strict_only)

    assert refusal.value.status == expect["status"]
    assert expect["type"] in {None, refusal.value.slug}
    assert expect["rule"] in {finding.rule for finding in refusal.value.findings}
    if strict_only and expect.get("lenient", True):
        parse(path.read_bytes(), xml=xml, strict=False)


def _pairs(count: int) -> str:
    pair = "<parameter><valueName>n</valueName><value>v</value></parameter>"
    return with_("<area>", pair * count + "<area>")


def _polygons(count: int) -> str:
    return with_(f"<polygon>{POLYGON}</polygon>", f"<polygon>{POLYGON}</polygon>" * count)


GENERATED: dict[str, tuple[bytes, bool, int, str]] = {
    "BI-085-brackets": (b"[" * 100_000, False, 400, "too-deep"),
    "BI-086-objects": (b'{"a":' * 5_000, False, 400, "too-deep"),
    "BI-086-known-objects": (b'{"info":{"area":' * 15 + b"1" + b"}}" * 15, False, 422, ""),
    "BI-087-digits": (
        json.dumps(json_alert()).encode()[:-1] + b', "note": ' + b"9" * 5_000 + b"}",
        False,
        400,
        "number-out-of-range",
    ),
    "BI-087-million-digits": (b'{"note": ' + b"9" * 1_000_000 + b"}", False, 400, "number-out-of-range"),
    "BI-085-closed": (b"[" * 100_000 + b"]" * 100_000, False, 400, "too-deep"),
    "BI-101-few-keys": (json.dumps({f"k{i}": 1 for i in range(300)}).encode(), False, 422, "too-many-items"),
    "BI-101-numbers": (b"[" + b"1," * 1_000_000 + b"1]", False, 422, "too-many-items"),
    "BI-101-lists": (b"[" + b"[]," * 1_000_000 + b"1]", False, 422, "too-many-items"),
    "BI-119-comments": (with_("<event>", "<!---->" * 500_000 + "<event>").encode(), True, 400, "too-many-elements"),
    "BI-117-many": (
        with_(
            "</alert>", ('<x xmlns="u" ' + " ".join(f'a{i}=""' for i in range(30)) + "/>") * 1_900 + "</alert>"
        ).encode(),
        True,
        400,
        "too-many-elements",
    ),
    "BI-116-foreign": (
        with_("</alert>", '<x xmlns="u"/>' * 5_000 + "</alert>").encode(),
        True,
        400,
        "too-many-elements",
    ),
    "BI-101-keys": (json.dumps({f"k{i}": 1 for i in range(100_000)}).encode(), False, 422, "too-many-items"),
    "BI-102-long-text": (json.dumps(json_alert(note="x" * 65_537)).encode(), False, 422, "text-too-long"),
    "BI-104-array": (json.dumps([json_alert()] * 1_000).encode(), False, 422, "validation-failed"),
    "BI-106-quadratic": (
        with_("<alert", f'<!DOCTYPE alert [<!ENTITY a "{"x" * 100_000}">]>\n<alert').encode(),
        True,
        400,
        "doctype-forbidden",
    ),
    "BI-115-depth": (f'<alert xmlns="{NAMESPACE}">'.encode() + b"<a>" * 100_000, True, 400, "too-deep"),
    "BI-116-siblings": (with_(INFO, "<code>a</code>" * 200_000).encode(), True, 400, "too-many-elements"),
    "BI-117-attributes": (
        with_("<event>", "<event " + " ".join(f'a{i}=""' for i in range(70_000)) + ">").encode(),
        True,
        400,
        "malformed-xml",
    ),
    "BI-117-namespaces": (
        with_("<event>", "<event " + " ".join(f'xmlns:a{i}="urn:a"' for i in range(30)) + ">").encode(),
        True,
        400,
        "malformed-xml",
    ),
    "BI-119-attribute": (with_("<event>", f'<event a="{"x" * 1_000_000}">').encode(), True, 400, "text-too-long"),
    "BI-119-cdata": (with_("Earthquake", f"<![CDATA[{'x' * 1_000_000}]]>").encode(), True, 422, "text-too-long"),
    "BI-119-text": (with_("Earthquake", "x" * 1_000_000).encode(), True, 422, "text-too-long"),
    "BI-156-parameters": (_pairs(10_000).encode(), True, 422, "too-many-items"),
    "BI-170-polygons": (_polygons(1_001).encode(), True, 422, "too-many-vertices"),
    "BI-170-vertices": (
        with_(POLYGON, "43,76 43,77 44,77 " * 70_000 + "43,76").encode(),
        True,
        422,
        "too-many-vertices",
    ),
    "BI-177-areas": (
        with_("<area>", "<area><areaDesc>x</areaDesc></area>" * 10_000 + "<area>").encode(),
        True,
        422,
        "too-many-items",
    ),
}


@pytest.mark.parametrize("name", GENERATED, ids=list(GENERATED))
def test_hostile_document_is_refused_cheaply(name: str) -> None:
    """A document that is made to be expensive is answered within a bound (50 ms when nothing else runs)."""
    body, xml, status, slug = GENERATED[name]
    started = time.process_time()
    try:
        parse(body, xml=xml, strict=False)
        answer = (0, "")
    except InvalidAlert as error:
        answer = (error.status, error.slug if slug else "")
    spent = time.process_time() - started

    assert answer == (status, slug)
    assert spent < 0.5


def test_large_but_allowed_alert_is_accepted() -> None:
    """BI-134, BI-169: 64 infos, 100 polygons of 100 points, a long comment: allowed, and accepted."""
    ring = " ".join(f"{43 + i / 1000},{76 + i * i / 100000}" for i in range(99))
    document = _polygons(100).replace(POLYGON, ring).replace(INFO.split("<area>")[0], "", 0)
    document = with_("<event>", f"<!--{'x' * 500_000}--><event>", document=document)
    document = document.replace("</alert>", INFO * 63 + "</alert>")

    parsed = read(document)

    assert len(parsed.alert.info) == 64
    assert len(parsed.alert.info[0].area[0].polygons) == 100


def test_prefixed_elements_are_the_same() -> None:
    """BI-122: an alert whose elements have a prefix is the same alert."""
    prefixed = (
        ALERT.replace("<", "<cap:").replace("<cap:/", "</cap:").replace("<cap:?", "<?").replace("xmlns=", "xmlns:cap=")
    )

    assert read(prefixed).alert == read(ALERT).alert


def test_cdata_is_text() -> None:
    """BI-127: CDATA is text; markup in it stays as it was written and gets a warning."""
    parsed = read(with_("Earthquake", "<![CDATA[<b>Quake</b> ]]]]><![CDATA[> & <script>]]>"))

    assert parsed.alert.info[0].event == "<b>Quake</b> ]]> & <script>"
    assert ("CAP-022", "warning") in {(finding.rule, finding.severity) for finding in parsed.findings}
