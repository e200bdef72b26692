from __future__ import annotations

from relay.cap.build_parts import Parts
from relay.cap.limits import Limits
from relay.cap.rules import Findings
from relay.cap.tree import Node
from tests.unit.cap.samples import read, refused, rules, with_


def parts(*children: tuple[str, str], ordered: bool = True) -> tuple[Parts, list[str]]:
    node = Node("area", 1)
    for name, text in children:
        child = Node(name, 2)
        child.text = text
        node.children.append(child)
    findings = Findings(strict=False)
    made = Parts(findings, Limits(items=3, text=10), (node,), ordered=ordered)
    return made, [finding.rule for finding in findings.all]


def test_values_are_stripped_and_sorted() -> None:
    """Values come without the spaces around them, by name, in document order."""
    made, found = parts(("areaDesc", " a "), ("polygon", "1"), ("polygon", "\n2"))

    assert made.text("areaDesc") == "a"
    assert made.texts("polygon") == ("1", "2")
    assert (made.text("ceiling"), made.nodes("circle"), found) == ("", [], [])


def test_order_counts_only_where_there_is_one() -> None:
    """CAP-040: order is checked in XML; a JSON object has none."""
    children = (("polygon", "1"), ("areaDesc", "a"))

    assert parts(*children)[1] == ["CAP-040"]
    assert parts(*children, ordered=False)[1] == []


def test_bounds() -> None:
    """A text that is too long and too many of one element are errors."""
    assert parts(("areaDesc", "a" * 11))[1] == ["RELAY-LIMIT"]
    assert parts(("areaDesc", "a"), *[("circle", "x")] * 4)[1] == ["RELAY-LIMIT"]


def test_empty_elements_are_absent() -> None:
    """CAP-023: an empty element is absent with a warning; an empty required one is an error (CAP-016)."""
    optional = read(with_("<area>", "<web></web><contact> </contact><area>"))
    required = refused(with_("Immediate", " "))

    assert rules(optional.findings) == [("CAP-023", "warning")] * 2
    assert required.findings[0].path == "/alert/info[1]/urgency[1]"
    assert required.findings[0].rule == "CAP-016"


def test_very_likely_is_likely() -> None:
    """CAP-011: a word of CAP 1.0 is understood."""
    parsed = read(with_("Observed", "Very Likely"))

    assert parsed.alert.info[0].certainty == "Likely"
    assert rules(parsed.findings) == [("CAP-011", "fixed")]


def test_wrong_case_says_what_to_write() -> None:
    """A value in the wrong case is refused with the right spelling in the sentence."""
    assert "Write Actual (" in refused(with_("Actual", "actual")).findings[0].message
