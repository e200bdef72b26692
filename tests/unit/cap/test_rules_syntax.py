from __future__ import annotations

from relay.cap.rules_syntax import SYNTAX_RULES


def test_unreadable_documents_are_400() -> None:
    """Syntax is 400, a charset in Content-Type 415; what can be read is 422."""
    status = {rule.key: rule.status for rule in SYNTAX_RULES}

    assert {status[key] for key in ("xml", "doctype", "charset", "depth", "elements", "json", "json-duplicate")} == {
        400
    }
    assert status["charset-http"] == 415
    assert {status[key] for key in ("root", "json-root", "json-field", "json-type", "unknown")} == {422}
