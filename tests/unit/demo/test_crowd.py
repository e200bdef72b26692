"""The crowd's file, and real doubles against labels."""

from __future__ import annotations

from pathlib import Path

from relay.demo.crowd import Crowd, Told, doubles

LINE = '{"delivery_id":"a-%d","recipient":"+7701010000%d","text":"%s"}\n'


def test_the_file_is_read_as_it_grows(tmp_path: Path) -> None:
    """Each look adds what came since; half a line waits for its other half; no file is nothing told."""
    path = tmp_path / "crowd.jsonl"
    crowd = Crowd(path)
    first = crowd.look().copy()
    path.write_text(LINE % (0, 0, "ветер") + '{"deliv')
    second = crowd.look().copy()
    with path.open("a") as file:
        file.write('ery_id":"a-1","recipient":"+77010100001","text":"шквал"}\n')

    assert (first, len(second)) == ([], 1)
    assert crowd.about("шквал") == [Told("a-1", "+77010100001", "шквал")]
    assert len(crowd.told) == 2


def test_doubles_and_labels() -> None:
    """A double without a label is found, and so is whoever was never told."""
    told = [Told("a-0", "+1", ""), Told("a-0", "+1", ""), Told("a-1", "+2", ""), Told("a-1", "+2", "")]
    found = doubles(told, expected=["+1", "+2", "+3"], labelled=["a-0", "a-7"])

    assert found.missing == 1
    assert found.doubled == {"a-0", "a-1"}
    assert found.unlabelled == {"a-1"}
