"""The show goes on, and says how it went."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

from relay.demo.faults import Fault
from relay.demo.paper import Paper
from relay.demo.show import ACTS, Act, close, play, run
from relay.demo.stage import Stage, Verdict


async def good(_: Stage) -> Verdict:
    return Verdict("fine")


async def bad(_: Stage) -> Verdict:
    return Verdict("said", ["not so"])


async def faulty(_: Stage) -> Verdict:
    raise Fault("nobody answers")


async def unreadable(_: Stage) -> Verdict:
    empty: dict[str, str] = {}
    return Verdict(empty["counts"])


async def endless(_: Stage) -> Verdict:
    await asyncio.Event().wait()
    return Verdict("never")


async def test_every_scene_is_played(stage: Stage, out: io.StringIO) -> None:
    """A scene that fails, in whatever way, is said with its reason and does not stop the next."""
    acts = [Act(f.__name__, f, 0.05) for f in (good, bad, faulty, unreadable, endless, good)]
    failed = await play(stage, acts)
    said = out.getvalue()

    assert failed == [2, 3, 4, 5]
    assert "1  good\n   ✓ fine" in said
    assert "✗ said" in said
    assert "not so" in said
    assert "nobody answers" in said
    assert "an answer cannot be read: KeyError 'counts'" in said
    assert "it took longer than 0 s" in said


async def test_all_is_well(stage: Stage, out: io.StringIO) -> None:
    """The last words say how long it took, and what to do next."""
    close(stage.paper, stage.places, [], took=31.2)

    assert f"All {len(ACTS)} did what they promise: 31 s. Nothing left this machine." in out.getvalue()
    assert "./run demo --stay" in out.getvalue()


async def test_something_is_not(stage: Stage, out: io.StringIO) -> None:
    """The last words say which scenes failed and where the relay's log is."""
    close(stage.paper, stage.places, [1, 4], took=31.2)

    assert f"Not as promised: 1, 4 of {len(ACTS)}." in out.getvalue()
    assert str(stage.places.log) in out.getvalue()


def test_a_folder_that_is_taken(tmp_path: Path) -> None:
    """When the demo cannot begin it says why in one sentence and returns 1."""
    (tmp_path / "precious").touch()
    out = io.StringIO()

    assert run(Paper(out), tmp_path, stay=False) == 1
    assert "holds files that no demo made" in out.getvalue()
