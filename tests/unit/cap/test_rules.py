from __future__ import annotations

import string

import pytest

from relay.cap.rules import CATALOGUE, MOST_FINDINGS, RULES, Findings, clip, refusal
from relay.cap.tree import Node
from relay.errors import InvalidAlert


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_rule_has_its_own_key() -> None:
    """One entry per rule; no entry hides another."""
    assert len(CATALOGUE) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=[rule.key for rule in RULES])
def test_entry_is_complete(rule: object) -> None:
    """Both languages say the same values, strict is never milder than lenient, errors are 4xx."""
    entry = CATALOGUE[getattr(rule, "key", "")]
    russian = {name.removesuffix("_ru") for name in fields(entry.ru)}
    hardness = ["warning", "fixed", "error"]

    assert russian == fields(entry.en)
    assert hardness.index(entry.strict) >= hardness.index(entry.lenient)
    assert entry.status in {400, 415, 422}
    assert (entry.on is None) == (entry.check is None)


def test_required_rules_exist() -> None:
    """The numbers of the first issue that are about content and syntax are in the catalogue."""
    from relay.cap.tree import SCHEMA

    ids = {rule.id for rule in RULES} | {place.rule for places in SCHEMA.values() for place in places.values()}
    numbers = (1, 2, 4, 5, 6, 7, 8, 9, 12, 13, 14, 16, 17, 18, 22, 23, 24, 29, 30, 31, 32, 33, 35, 39, 40, 41, 42)

    assert {f"CAP-{number:03}" for number in numbers} <= ids


def test_findings_are_bounded_and_errors_come_first() -> None:
    """A hostile alert cannot make an endless answer, and warnings never push out an error."""
    findings = Findings(strict=False)
    trail = (Node("alert", 1),)
    for _ in range(MOST_FINDINGS + 7):
        findings.add("empty", trail, name="web")
    findings.add("draft", trail)

    assert findings.refused
    assert findings.all[0].rule == "CAP-005"
    assert len(findings.all) == MOST_FINDINGS + 2
    assert findings.all[-1].message.startswith("7 more")


def test_refusal_names_the_one_problem() -> None:
    """One kind of error names the problem type; several are validation-failed."""
    findings = Findings(strict=False)
    trail = (Node("alert", 1),)
    findings.add("polygon-points", trail, count="2")
    with pytest.raises(InvalidAlert) as one:
        findings.refuse()
    findings.add("time-naive", trail, name="sent", value="x")
    with pytest.raises(InvalidAlert) as two:
        findings.refuse()

    assert one.value.slug == "bad-polygon"
    assert two.value.slug == "validation-failed"
    assert len(two.value.findings) == 2
    assert "2 errors" in two.value.detail


def test_echo_is_short_and_printable() -> None:
    """What was sent is shown shortened, with unprintable characters escaped."""
    assert clip("a" * 100) == "a" * 63 + "…"
    assert clip("a\x1b\u202e\ud800") == "a\\u001b\\u202e\\ud800"
    assert clip("Сель") == "Сель"


def test_another_room_can_refuse_by_a_rule() -> None:
    """Swapped coordinates that only the agency's own area shows are refused with the same rule, in both languages."""
    error = refusal(
        "swapped", line=41, path="/alert/info[1]/area[1]/polygon[1]", pair="76.90,43.24", swapped="43.24,76.90"
    )

    finding = error.findings[0]
    assert (error.slug, error.status, finding.rule, finding.line) == ("bad-polygon", 422, "CAP-031", 41)
    assert finding.message_ru == (
        "Первое число — широта. «76.90,43.24» — далеко от вашей территории. Вероятно, нужно «43.24,76.90»."
    )
