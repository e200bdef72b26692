"""Does the judge see bugs?  Plants each in a copy of the tree, lets a short round run there, and says caught or not."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.relay_side import ROOT
from tests.chaos.planted import MUTANTS, Mutant
from tests.chaos.rounds import Result, Round, Say, run

_NEEDED = ("relay", "adapters", "config")


class DoesNotFitError(Exception):
    """The tree has changed where a bug was to be planted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """What the judge said of one planted bug."""

    mutant: Mutant
    result: Result

    @property
    def caught(self) -> bool:
        """Whether a check that is meant to see it did."""
        return bool(self.mutant.seen & set(self.result.verdict.broken))


def planted(mutant: Mutant, texts: dict[str, str]) -> dict[str, str]:
    """Return ``texts`` (file → content) with the bug in them.

    Raises:
        DoesNotFitError: a line is not there, or there more than once.
    """
    for path, old, new in mutant.edits:
        if texts[path].count(old) != 1:
            raise DoesNotFitError(f"{mutant.name}: {path} has {texts[path].count(old)} times {old!r}")
        texts[path] = texts[path].replace(old, new)
    return texts


def plant(mutant: Mutant, tree: Path) -> None:
    """Copy the relay to ``tree`` and plant the bug there."""
    for name in _NEEDED:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    files = sorted({path for path, _, _ in mutant.edits})
    for path, text in planted(mutant, {path: (tree / path).read_text(encoding="utf-8") for path in files}).items():
        (tree / path).write_text(text, encoding="utf-8")


async def run_all(names: Sequence[str], say: Say) -> int:
    """Try all, or those named; returns 0 when every one is caught and the relay as it is breaks none of the checks."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    missing = set(names) - {mutant.name for mutant in chosen}
    if missing or not chosen:
        say(f"there is no mutant called {', '.join(sorted(missing))}; there are {', '.join(m.name for m in MUTANTS)}")
        return 2
    found = [await one(mutant, say) for mutant in chosen]
    print("\n".join(_line(one) for one in found))
    escaped = [one for one in found if not one.caught]
    print(f"\n{len(found) - len(escaped)} of {len(found)} planted bugs are caught")
    return 1 if escaped else 0


async def one(mutant: Mutant, say: Say) -> Caught:
    """Plant one bug, play its round and look."""
    with tempfile.TemporaryDirectory(prefix=f"mutant-{mutant.name}-") as folder:
        tree = Path(folder)
        plant(mutant, tree)
        result = await run(round_of(mutant, root=tree), say)
    shutil.rmtree(result.folder, ignore_errors=True)
    caught = Caught(mutant=mutant, result=result)
    say(_line(caught))
    for finding in result.verdict.findings[:3]:
        say(f"    {finding.check} {finding.said}")
    return caught


def round_of(mutant: Mutant, *, root: Path = ROOT) -> Round:
    """Return the round that provokes a bug; with the tree as it is, the judge must be content with it."""
    return Round(
        seed=mutant.seed,
        topology=mutant.topology,
        seconds=mutant.seconds,
        bursts=mutant.bursts,
        faults=mutant.faults,
        root=root,
        drain=20.0,
    )


def _line(one: Caught) -> str:
    said = "caught    " if one.caught else "NOT CAUGHT"
    return f"{said} {one.mutant.name:<28} {one.mutant.says:<62} {dict(one.result.verdict.broken)}"


def commit_of(root: Path = ROOT) -> str:
    """Return the commit that is judged, empty where git is not."""
    done = subprocess.run(["git", "-C", str(root), "rev-parse", "--short", "HEAD"], capture_output=True, check=False)
    return done.stdout.decode().strip()
