from __future__ import annotations

import pytest

from tests.unit.cap.samples import refused, with_


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        (with_("cap:1.2", "cap:1.1"), "older CAP"),
        ('<alert xmlns="http://www.incident.com/cap/1.0"/>', "older CAP"),
        (with_("emergency:cap:1.2", "emergency:alerts:1.2"), "namespace is not"),
        ("<alert/>", "namespace is not"),
        ('<feed xmlns="http://www.w3.org/2005/Atom"/>', "feed"),
        ("<rss/>", "feed"),
        ('<EDXLDistribution xmlns="urn:x"/>', "envelope"),
        ('<Alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>', "called alert"),
        ("<html/>", "not a CAP alert"),
    ],
)
def test_other_roots_get_a_hint(document: str, hint: str) -> None:
    """CAP-012: what is not one CAP 1.2 alert is refused, and the agency learns what it looks like."""
    error = refused(document)

    assert (error.status, error.slug) == (422, "unsupported-cap-version")
    assert error.findings[0].rule == "CAP-012"
    assert hint in error.findings[0].message
    assert error.findings[0].line == (2 if document.startswith("<?xml") else 1)
