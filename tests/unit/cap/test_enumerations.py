from __future__ import annotations

from relay.cap.enumerations import VALUES, exact


def test_exact_spelling_is_found() -> None:
    """A value in another case leads to the right spelling, anything else to none."""
    assert exact("status", "ACTUAL") == "Actual"
    assert exact("status", "Real") == ""


def test_unknown_is_allowed_where_cap_allows_it() -> None:
    """CAP-016: urgency, severity and certainty know Unknown."""
    assert {name for name, values in VALUES.items() if "Unknown" in values} == {"urgency", "severity", "certainty"}
