"""The judge: reads what the console channels wrote and what the API says, and compares; it believes nothing else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.acceptance.agency_side import Agency, marker, person

_MARKER = re.compile(r"Flood \d{4}")

#: Alert's marker and address: what a person would count.
Pair = tuple[str, str]


def written(*files: Path) -> Counter[Pair]:
    """Return how often each alert went to each address; a line torn by nothing but our reading is left for later."""
    found: Counter[Pair] = Counter()
    for file in files:
        for line in file.read_bytes().splitlines(keepends=True) if file.exists() else ():
            if line.endswith(b"\n"):
                row = orjson.loads(line)
                match = _MARKER.search(row["text"])
                assert match is not None, row
                found[match[0], row["recipient"]] += 1
    return found


def lines(*files: Path) -> int:
    """Return how many deliveries were handed over so far, copies included."""
    return sum(file.read_bytes().count(b"\n") for file in files if file.exists())


@dataclass(slots=True)
class Judgement:
    """What came out: ``lost`` were neither sent nor admitted as ``possibly_sent``; of those ``untold`` were not sent."""

    pairs: int = 0
    lost: list[Pair] = field(default_factory=list)
    copies: int = 0
    unlabelled: list[Pair] = field(default_factory=list)
    labelled: int = 0
    doubtful: int = 0
    untold: int = 0
    states: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether the promise is kept: nobody forgotten, every copy labelled, every figure true."""
        return not self.lost and not self.unlabelled and not self.wrong

    @property
    def once(self) -> bool:
        """Whether, on top of that, everybody was told exactly once."""
        return self.kept and not self.copies and not self.doubtful

    def __str__(self) -> str:
        return (
            f"{self.pairs} deliveries, {len(self.lost)} lost, {self.copies} copies, {len(self.unlabelled)} of them "
            f"unlabelled, {self.labelled} labelled, {self.doubtful} possibly sent ({self.untold} not), {dict(self.states)}, {self.wrong}"
        )


async def judge(
    agency: Agency, alerts: Mapping[int, str], files: Iterable[Path], *, people: int, kinds: tuple[str, ...]
) -> Judgement:
    """Compare the files with the API for ``alerts`` (number → id), each due to ``people`` recipients by ``kinds``."""
    documents = {number: await agency.completed(alert_id, within=60) for number, alert_id in alerts.items()}
    sent = written(*files)  # not earlier: what is still on its way is not lost
    found = Judgement()
    owners = {(f"person-{n}", kind): value for n in range(people) for kind, value in _addresses(n, kinds)}
    for number, alert_id in alerts.items():
        document, rows = documents[number], await agency.deliveries(alert_id)
        states = Counter(str(row["state"]) for row in rows)
        found.states += states
        if states != Counter(document["counts"]) or document["deliveries"] != len(rows):
            found.wrong.append(f"{alert_id}: counts {document['counts']} but rows {dict(states)}")
        seen = Counter((row["recipient"], row["kind"]) for row in rows)
        if set(seen) != set(owners) or seen.total() != len(owners):
            found.wrong.append(f"{alert_id}: {seen.total()} deliveries to {len(seen)} of {len(owners)} addresses")
            continue
        for row in rows:
            _row(found, (marker(number), owners[row["recipient"], row["kind"]]), sent, row)
    strangers = set(sent) - {(marker(number), address) for number in alerts for address in owners.values()}
    if strangers:
        found.wrong.append(f"{len(strangers)} were sent to nobody that is due: {sorted(strangers)[:3]}")
    return found


def _row(found: Judgement, pair: Pair, sent: Counter[Pair], row: Mapping[str, object]) -> None:
    times, doubtful, labelled = sent[pair], row["state"] == "possibly_sent", bool(row["possible_duplicate"])
    found.pairs += 1
    found.copies += max(0, times - 1)
    found.labelled += labelled
    found.doubtful += doubtful
    found.untold += not times and doubtful
    if not times and not doubtful:
        found.lost.append(pair)
    if times > 1 and not labelled:
        found.unlabelled.append(pair)


def _addresses(number: int, kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(address["kind"], address["value"]) for address in person(number, kinds)["addresses"]]
