from __future__ import annotations

from relay.cap.rules_entry import NO_HITS, Hit, found


def test_found_is_one_hit_or_none() -> None:
    """A condition makes one hit with the sentence's values."""
    assert found("sent", value="x") == (Hit("sent", {"value": "x"}),)
    assert not NO_HITS
