from __future__ import annotations

import pytest

from tests.unit.cap.samples import INFO, read, refused, rules, with_

REFERENCE = "a@b.example,x,2026-01-01T00:00:00+00:00"


def alert(*changes: tuple[str, str]) -> str:
    document = with_("", "")
    for old, new in changes:
        document = with_(old, new, document=document)
    return document


REFERRING = ("</scope>", f"</scope><references>{REFERENCE}</references>")


@pytest.mark.parametrize(
    ("document", "rule", "lenient", "strict"),
    [
        (alert(("Actual", "Draft")), "CAP-005", "error", "error"),
        (alert(("Actual", "Exercise")), "CAP-005", "warning", "warning"),
        (alert(("<msgType>Alert", "<msgType>Update")), "CAP-006", "warning", "error"),
        (alert(("<msgType>Alert", "<msgType>Ack")), "CAP-006", "warning", "warning"),
        (alert(("<msgType>Alert", "<msgType>Error"), REFERRING), "CAP-006", "warning", "warning"),
        (alert(REFERRING), "CAP-006", "warning", "warning"),
        (
            alert(
                ("<msgType>Alert", "<msgType>Update"),
                ("</scope>", "</scope><references>duty@seismo.example,quake-1,2026-01-01T00:00:00-00:00</references>"),
            ),
            "CAP-007",
            "warning",
            "warning",
        ),
        (
            alert(
                ("<msgType>Alert", "<msgType>Update"),
                ("</scope>", "</scope><references>a@b.example,x,2027-01-01T00:00:00-00:00</references>"),
            ),
            "CAP-007",
            "warning",
            "error",
        ),
        (alert(("Public", "Restricted")), "CAP-008", "error", "error"),
        (alert(("</scope>", "</scope><restriction>staff</restriction>")), "CAP-008", "error", "error"),
        (alert(("Public", "Private")), "CAP-008", "error", "error"),
        (alert((INFO, "")), "CAP-024", "error", "error"),
        (alert(("duty@seismo.example", "duty at seismo")), "CAP-002", "error", "error"),
    ],
    ids=[
        "draft",
        "exercise-note",
        "update",
        "ack",
        "error-note",
        "alert-references",
        "namesake",
        "postdated",
        "restricted",
        "restriction",
        "private",
        "no-info",
        "sender",
    ],
)
def test_rule_fires(document: str, rule: str, lenient: str, strict: str) -> None:
    """Each rule has its severity in lenient and in strict mode."""
    for severity, mode in ((lenient, False), (strict, True)):
        found = refused(document, strict=mode).findings if severity == "error" else read(document, strict=mode).findings
        assert rules(found) == [(rule, severity)]


def test_proper_scopes_are_silent() -> None:
    """CAP-008: what scope asks for and gets is no finding."""
    restricted = alert(("Public</scope>", "Restricted</scope><restriction>staff</restriction>"))
    private = alert(("Public</scope>", "Private</scope><addresses>group:rescue</addresses>"))

    assert read(restricted, strict=True).findings == read(private, strict=True).findings == ()


def test_infos_of_one_event() -> None:
    """CAP-014: the same words in two languages, and infos of different categories, are suspicious."""
    second = INFO.replace("<language>en", "<language>fr").replace("<area>", "<description>same</description><area>")
    document = with_(INFO, INFO.replace("<area>", "<description>same</description><area>") + second)

    assert rules(read(document).findings) == [("CAP-014", "warning")]
    assert rules(read(with_(INFO, INFO + INFO.replace("Geo", "Met"))).findings) == [("CAP-014", "warning")]
