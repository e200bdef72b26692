from __future__ import annotations

from relay.cap.build import Builder
from relay.cap.limits import Limits
from relay.cap.rules import Findings
from relay.cap.tree import Node
from tests.unit.cap.samples import read, refused, rules, with_

OWN = "duty@seismo.example,quake-1,2026-03-01T04:05:40+05:00"


def test_everything_arrives_in_the_model() -> None:
    """All fields of CAP reach the model, under their names."""
    extra = """<source>s</source>"""
    parsed = read(
        with_("<scope>", extra + "<scope>").replace(
            "</scope>",
            '</scope><addresses>a "b c"</addresses><code>x</code><code>y</code><note>n</note><incidents>i</incidents>',
        )
    )
    alert = parsed.alert

    assert (alert.source, alert.addresses, alert.code, alert.note, alert.incidents) == (
        "s",
        ("a", "b c"),
        ("x", "y"),
        "n",
        ("i",),
    )
    assert parsed.findings == ()


def test_self_reference_is_left_out() -> None:
    """CAP-007: an Update that refers to itself must not end itself; the reference is left out and that is recorded."""
    document = with_("<msgType>Alert", "<msgType>Update").replace(
        "</scope>", f"</scope><references>{OWN} a@b.example,x,2026-01-01T00:00:00Z</references>"
    )

    parsed = read(document)

    assert [reference.identifier for reference in parsed.alert.references] == ["x"]
    assert rules(parsed.findings) == [("CAP-007", "fixed")]
    assert refused(document, strict=True).slug == "bad-reference"


def test_malformed_reference_is_a_warning() -> None:
    """BI-145: a malformed reference does not silence an alert."""
    document = with_("</scope>", "</scope><references>what?</references>")

    assert rules(read(document).findings) == [("CAP-007", "warning")]
    assert rules(refused(document, strict=True).findings) == [("CAP-007", "error")]


def test_open_quotes_are_refused() -> None:
    """BI-157: who is meant must be sure."""
    assert refused(with_("</scope>", '</scope><addresses>"a b</addresses>')).findings[0].rule == "CAP-009"


def test_rules_speak_even_when_sent_is_missing() -> None:
    """An empty alert gets all its findings instead of an exception."""
    findings = Findings(strict=False)
    alert = Builder(findings, Limits(), ordered=True).build(Node("alert", 1))

    assert alert.sent.text == ""
    assert {finding.rule for finding in findings.all} == {
        "CAP-001",
        "CAP-002",
        "CAP-004",
        "CAP-005",
        "CAP-006",
        "CAP-008",
    }
