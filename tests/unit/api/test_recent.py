"""What the node remembers of alerts it accepted."""

from __future__ import annotations

from relay.api.recent import Recent


def test_an_answer_is_marked_stale() -> None:
    """What is remembered says that it may not be the newest."""
    recent = Recent()
    recent.add("a", agency="meteo", answer={"id": "a"})

    assert recent.get("a", agency="meteo") == {"id": "a", "stale": True}
    assert recent.get("a", agency=None) == {"id": "a", "stale": True}


def test_another_agency_learns_nothing() -> None:
    """Somebody else's alert is not there."""
    recent = Recent()
    recent.add("a", agency="meteo", answer={"id": "a"})

    assert recent.get("a", agency="seismo") is None
    assert recent.get("b", agency=None) is None


def test_the_oldest_is_forgotten() -> None:
    """The memory is bounded."""
    recent = Recent(most=2)
    for name in "abc":
        recent.add(name, agency="meteo", answer={"id": name})

    assert recent.get("a", agency=None) is None
    assert recent.get("c", agency=None) is not None
