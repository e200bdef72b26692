from __future__ import annotations

from tests.unit.cap.samples import refused, with_


def test_place_and_reason_are_said() -> None:
    """A syntax error says line, column and reason, in English and Russian."""
    finding = refused(with_("</status>", "</statue>")).findings[0]

    assert finding.rule == "RELAY-XML"
    assert finding.line == 6
    assert "mismatched tag (line 6" in finding.message
    assert "закрывающий тег" in finding.message_ru


def test_wrong_root_is_said_as_well() -> None:
    """A broken document that is no alert either is 400, and says both."""
    error = refused("<feed><entry></feed>")

    assert error.status == 400
    assert [finding.rule for finding in error.findings] == ["RELAY-XML", "CAP-012"]
