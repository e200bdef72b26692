"""Reads what a round left in its folder into a history."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson

from tests.chaos import log
from tests.chaos.history import Attempt, Deed, Fault, History, Look, Send
from tests.chaos.mix import Role

_MARKER = re.compile(r"Q(\d{5})([A-H])")
_LOGS = ("sms", "sms-backup", "email", "webhook")
_CANCELLED = ("CANCELLED", "ОТБОЙ")


def load(folder: Path) -> History:
    """Read what a round left in its folder."""
    lags = folder / "lags.jsonl"
    client = list(log.read(folder / "client.jsonl"))
    account = orjson.loads((folder / "api.json").read_bytes())
    logs = [path for name in _LOGS if (path := folder / f"{name}.jsonl").exists()]
    sends = [_send(line) for path in logs for line in log.read(path)]
    return History(
        deeds=_deeds(line for line in client if line["do"] != "seen"),
        looks=[look for line in client if line["do"] == "seen" for look in _looks(line)],
        sends=sends,
        lags=[(line["t"] - line["late"], line["t"]) for line in log.read(lags)] if lags.exists() else [],
        faults=_faults(list(log.read(folder / "faults.jsonl"))),
        alerts=account["alerts"],
        people=account["people"],
        status=account["status"] or {},
        ended=float(account.get("t", 0.0)),
    )


def _deeds(lines: Iterable[log.Line]) -> dict[int, Deed]:
    deeds: dict[int, Deed] = {}
    asked: dict[int, tuple[Deed, log.Line]] = {}
    for line in lines:
        if line["do"] == "invoke":
            role = Role(line["role"])
            number = line["number"]
            deed = deeds.get(number)
            if deed is None:
                deed = Deed(number=number, role=role, of=line["of"], document=line.get("document", {}))
                deeds[number] = deed
            elif deed.role is Role.CONFLICT and role is not Role.CONFLICT:
                deed.role, deed.of, deed.document = role, line["of"], line["document"]
            asked[line["n"]] = (deed, line)
            deed.attempts.append(Attempt(n=line["n"], role=role, asked=line["t"]))
        else:
            deed, invoked = asked[line["n"]]
            at = next(i for i, a in enumerate(deed.attempts) if a.n == line["n"])
            deed.attempts[at] = Attempt(
                n=line["n"],
                role=Role(invoked["role"]),
                asked=invoked["t"],
                answered=line["t"],
                end=line["do"],
                status=line.get("status", 0),
                said=line,
            )
    return deeds


def _looks(line: log.Line) -> Iterator[Look]:
    for who, kind, state in line["rows"]:
        yield Look(t=line["t"], alert=line["alert"], pair=(who, kind), state=state)


def _faults(lines: Sequence[log.Line]) -> list[Fault]:
    ends = {line["n"]: line for line in lines if line["do"] == "end"}
    return [
        Fault(
            name=line["name"],
            target=line["target"],
            begin=line["t"],
            end=ends[line["n"]]["t"] if line["n"] in ends else float("inf"),
            acted=line["hold"],
        )
        for line in lines
        if line["do"] == "begin"
    ]


def _send(line: log.Line) -> Send:
    found = _MARKER.search(line["text"])
    return Send(
        t=line["t"],
        kind=line["kind"],
        to=line["to"],
        took=line["took"],
        mood=line["mood"],
        text=line["text"],
        number=int(found[1]) if found else -1,
        info="ABCDEFGH".index(found[2]) if found else -1,
        cancelled=any(word in line["text"] for word in _CANCELLED),
        line=line,
    )
