"""The short way gives what the long way gives, or leaves the document to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.cap.parse import Parsed, parse_plain, parse_thoroughly
from relay.cap.plain import LONGEST, NotPlain
from relay.cap.xml_out import to_xml
from relay.errors import Finding, InvalidAlert
from tests.unit.cap.samples import ALERT, AREA, EXAMPLES, LIMITS, POLYGON, read, with_
from tests.unit.cap.strategies import alerts

_CORPUS = sorted((Path(__file__).parents[2] / "corpus").rglob("*.xml")) + sorted(EXAMPLES.glob("*.xml"))

Written = tuple[Alert, tuple[Finding, ...], list[tuple[object, str, int | None]]]


def short(document: str | bytes, *, charset: str | None = None, limits: Limits = LIMITS) -> Parsed | None:
    body = document if isinstance(document, bytes) else document.encode()
    try:
        return parse_plain(body, charset=charset, limits=limits, strict=True)
    except NotPlain:
        return None


def thorough(document: str | bytes, *, limits: Limits = LIMITS) -> Parsed:
    body = document if isinstance(document, bytes) else document.encode()
    return parse_thoroughly(body, charset=None, limits=limits, strict=True)


def written(parsed: Parsed) -> Written:
    return parsed.alert, parsed.findings, [(place.shape, place.path, place.line) for place in parsed.shapes]


def agree(document: str | bytes) -> bool:
    """Check that a document that is plain reads the same the long way; return whether it is."""
    found = short(document)
    if found is not None:
        assert written(found) == written(thorough(document))
        assert found.findings == ()
    return found is not None


def test_ordinary_alert_is_plain() -> None:
    """The sample takes the short way, and says the same with paths and lines of its shapes."""
    assert agree(ALERT)
    assert agree(with_(AREA, AREA + AREA))
    assert agree(ALERT.replace("\n", "\r\n"))
    assert agree(with_("</event>", "\n  and more\n  </event>"))


@pytest.mark.parametrize("path", _CORPUS, ids=lambda path: path.name)
def test_corpus(path: Path) -> None:
    """Every document of the corpus is read the same way by both, or left to the long one."""
    agree(path.read_bytes())


@given(alerts)
def test_any_alert(alert: Alert) -> None:
    """Whatever alert is written as XML is read the same way by both."""
    body = to_xml(alert)
    try:
        agree(body)
    except InvalidAlert as error:  # the long way refuses it, and the short way did not see why
        raise AssertionError(body) from error


@given(st.data())
def test_any_damage(data: st.DataObject) -> None:
    """Whatever is put into, or taken out of, a plain document, the short way never takes what the long way objects to."""
    start = data.draw(st.integers(0, len(ALERT)))
    end = data.draw(st.integers(start, min(len(ALERT), start + 40)))
    pieces = st.sampled_from(
        ["<", ">", "</", "/>", "<!", "<?", "&", ";", "&#1;", "&amp;", "&#x41;", "=", '"', "'", " "]
    )
    names = st.sampled_from(
        ["area", "polygon", "info", "web", "note", "alert", "value", "\n", "\u202e", "\x00", "x:y", "!"]
    )
    put = "".join(data.draw(st.lists(st.one_of(pieces, names, st.text(max_size=3)), max_size=8)))
    body = (ALERT[:start] + put + ALERT[end:]).encode("utf-8", "surrogatepass")
    try:
        agree(body)
    except InvalidAlert as error:
        raise AssertionError(body) from error


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<alert ", '<!DOCTYPE alert [<!ENTITY a "b">]><alert '),
        ("<alert ", "<!-- --><alert "),
        ("<alert ", '<?xml-stylesheet href="a"?><alert '),
        ("<scope>", "<scope  a='b'>"),
        ("<scope>", "<x:scope>"),
        ("Public", "<![CDATA[Public]]>"),
        ("</scope>", "</scope>stray"),
        ("</scope>", "</scope><scope>Public</scope>"),
        ("</scope>", "</scope><web>early</web>"),
        ("Public", " Public"),
        ("Public", "public"),
        ("</scope>", "</scope><note></note>"),
        ("</scope>", "</scope><note/>"),
        ("</scope>", "</scope><note>a\u202eb</note>"),
        ("</scope>", f"</scope><note>{'a' * LONGEST}</note>"),
        ('encoding="UTF-8"', 'encoding="windows-1251"'),
        (POLYGON, "1,1 2,2"),
    ],
)
def test_odd_document_is_left_to_the_long_way(old: str, new: str) -> None:
    """Whatever could need a word, or could declare something, is not plain."""
    assert short(with_(old, new)) is None


def test_bounds() -> None:
    """A document over a bound is not plain, however small the bound is."""
    assert short(ALERT, limits=Limits(elements=10)) is None
    assert short(ALERT, limits=Limits(max_vertices=3)) is None
    assert short(ALERT, limits=Limits(items=1)) is None
    assert short(ALERT, limits=Limits(text=8)) is None
    assert short(b"\xef\xbb\xbf" + ALERT.encode()) is None
    assert short(ALERT, charset="koi8-r") is None
    assert short(ALERT, charset="utf-8") is not None


def test_deep_nesting_costs_nothing() -> None:
    """Elements in elements as deep as a short document can hold are left to the long way, which refuses them."""
    assert short(with_("<scope>", "<a>" * 9000 + "</a>" * 9000 + "<scope>")) is None


def test_place_of_a_shape_is_told_when_asked() -> None:
    """Path and line of a shape are those of the agency's document."""
    found = read(with_(AREA, AREA + AREA))

    assert [place.path for place in found.shapes] == [
        "/alert/info[1]/area[1]/polygon[1]",
        "/alert/info[1]/area[2]/polygon[1]",
    ]
    assert all(
        POLYGON in ALERT.replace(AREA, AREA + AREA).splitlines()[(place.line or 0) - 1] for place in found.shapes
    )
