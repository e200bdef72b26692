from __future__ import annotations

from relay.cap.rules_build import BUILD_RULES


def test_repairs_are_refused_in_strict_mode() -> None:
    """What lenient mode repairs, strict mode refuses."""
    assert all(rule.strict == "error" for rule in BUILD_RULES if rule.lenient == "fixed")
    assert {rule.key for rule in BUILD_RULES if rule.lenient == "fixed"} >= {
        "order",
        "time-zulu",
        "polygon-open",
        "padded",
    }
