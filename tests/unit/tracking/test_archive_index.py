"""The archive's index: what it is asked, and that it can be lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from relay.tracking.archive_file import ArchivedLeg
from relay.tracking.archive_index import Entry, Figures, Index, Living

ENTRY = Entry(
    alert_id="a",
    archived_ms=9,
    gone=False,
    path="2026-01-01/a.jsonl.gz",
    size=100,
    words=0,
    facts={
        "id": "a",
        "received": "1000",
        "expires": "5000",
        "k1": "t1",
        "k2": "c1",
        "msgType": "Alert",
        "referenced": "t0 t9",
        "findings": "[]",
    },
    legs=(ArchivedLeg("leg-a", {"n16": "3"}, b"\x01\x02"),),
)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index.sqlite")


def entry(alert_id: str, received: int, **facts: str) -> Entry:
    mine = {**ENTRY.facts, "id": alert_id, "received": str(received), **facts}
    return replace(ENTRY, alert_id=alert_id, facts=mine, path=alert_id, legs=[ArchivedLeg(f"leg-{alert_id}", {}, b"")])


def test_alert_is_found_by_whatever_names_it(index: Index) -> None:
    """By id, leg, triple, and by what it refers to; long facts stay in the file."""
    index.put(ENTRY)
    found = index.get("a")

    assert found == replace(ENTRY, facts={n: v for n, v in ENTRY.facts.items() if n != "findings"})
    assert index.of_leg("leg-a") == found
    assert (index.get("b"), index.of_leg("leg-b")) == (None, None)
    assert index.by_triple("t1") == ["a"]
    assert index.referrers("t9") == [("Alert", "a")]
    assert index.paths() == {ENTRY.path: ("a", 0)}


def test_newer_entry_replaces_the_older(index: Index) -> None:
    """Nothing of an earlier archiving is left behind."""
    index.put(ENTRY)
    index.put(replace(entry("a", 1000, referenced=""), legs=[ArchivedLeg("leg-2", {}, b"")]))

    assert index.of_leg("leg-a") is None
    assert index.of_leg("leg-2") is not None
    assert index.referrers("t9") == []
    assert index.figures().alerts == 1


def test_pages_go_down_in_time(index: Index) -> None:
    """Newest first; equal times by id; a page goes on after the last one, even if that is gone."""
    for alert_id, received in (("a", 1), ("b", 2), ("c", 2), ("d", 3)):
        index.put(entry(alert_id, received))
    index.remove("c")

    assert [e.alert_id for e in index.page(before=None, limit=9)] == ["d", "b", "a"]
    assert [e.alert_id for e in index.page(before=(2, "c"), limit=1)] == ["b"]
    assert index.page(before=(1, "a"), limit=9) == []


def test_what_lives_and_what_is_old(index: Index) -> None:
    """What is in force is told apart from what is over, and the oldest are found first."""
    index.put(entry("over", 1, expires="50"))
    index.put(entry("lives", 2, expires="5000"))

    assert index.living(100) == [Living("lives", "t1", "c1", 5000)]
    assert [e.alert_id for e in index.received_before(2, limit=9)] == ["over"]
    assert index.figures() == Figures(2, 200, 1)


def test_doubt_ends(index: Index) -> None:
    """An alert is in doubt until it is known to be out of Redis; a late word is counted."""
    index.put(ENTRY)
    doubt = index.not_gone()
    index.mark_gone("a")
    index.count("a", [ArchivedLeg("leg-a", {"n17": "3"}, b"")])
    found = index.get("a")

    assert (doubt, index.not_gone()) == (["a"], [])
    assert found is not None
    assert (found.words, found.legs[0].facts) == (1, {"n17": "3"})


def test_it_stays(tmp_path: Path) -> None:
    """It is there after a restart."""
    first = Index(tmp_path / "i.sqlite")
    first.put(ENTRY)
    first.close()

    assert Index(tmp_path / "i.sqlite").get("a") is not None


def test_broken_index_is_made_anew(tmp_path: Path) -> None:
    """A file that is no index, or one of another version, is replaced by an empty one."""
    path = tmp_path / "i.sqlite"
    path.write_bytes(b"nonsense " * 500)
    broken = Index(path)
    broken._db.execute("PRAGMA user_version = 99")
    broken.close()

    assert broken_is_empty(path)


def broken_is_empty(path: Path) -> bool:
    return Index(path).figures() == Figures(0, 0, 0)


def test_failing_disk_is_a_failing_disk(tmp_path: Path) -> None:
    """Whatever SQLite says, those who ask hear one error."""
    index = Index(tmp_path / "i.sqlite")
    index.close()

    with pytest.raises(OSError, match="index"):
        index.get("a")
