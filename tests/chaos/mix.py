"""What the client does, one step after the other: 70 % new, 20 % exact retries, 5 % updates and cancels, 5 % bad."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from tests.acceptance.black_box_alerts import xml
from tests.chaos import alerts
from tests.chaos.alerts import Document

JSON, XML = "application/json", "application/cap+xml"


class Role(StrEnum):
    """What a post is meant to be."""

    NEW = "new"
    RETRY = "retry"  # the same bytes once more
    UPDATE = "update"
    CANCEL = "cancel"  # a CAP Cancel
    REVOKE = "revoke"  # POST /v1/alerts/{id}/cancel
    CONFLICT = "conflict"  # the same triple and core with other content
    BAD = "bad"  # must be refused
    PLACELESS = "placeless"  # no usable area: must be held


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request: ``number`` of the alert that it is about, ``of`` the one that it refers to."""

    role: Role
    number: int
    document: Document = field(default_factory=dict)
    body: bytes = b""
    media: str = JSON
    of: int = -1


class Mix:
    """Draws steps from a seed.  ``last`` steps may be referred to by later ones."""

    def __init__(self, seed: int, *, last: int = 40) -> None:
        self._chance = random.Random(f"mix {seed}")
        self._steps: list[Step] = []
        self._last = last
        self._next = 0
        self._referred: set[int] = set()
        self._burst: list[tuple[str, float]] = []

    def burst(self) -> None:
        """Let the next steps be three wide low alerts, one beside them that ends soon, then ever worse ones and a flash at last."""
        self._burst = [
            ("P4", 900.0),
            ("P4", 900.0),
            ("P4", 900.0),
            ("P4", 2.5),
            *[(klass, 900.0) for klass in ("P2", "P1", "P0")],
        ]

    def step(self) -> Step:
        """Return what is done next."""
        if self._burst:
            klass, lives = self._burst.pop(0)
            return self._keep(self._posted(Role.NEW, self._new(klass=klass, wide=True, lives=lives)))
        drawn = self._chance.random()
        if drawn < 0.70 or not self._steps:
            return self._keep(self._posted(Role.NEW, self._new(wide=self._chance.random() < 0.03)))
        if drawn < 0.90:
            old = self._chance.choice(self._steps[-self._last :])
            return Step(role=Role.RETRY, number=old.number, body=old.body, media=old.media, document=old.document)
        return self._correction() if drawn < 0.95 else self._bad()

    def _new(self, **given: Any) -> Document:
        number = self._number()
        return alerts.alert(self._chance, number, **given)

    def _number(self) -> int:
        self._next += 1
        return self._next

    def _keep(self, step: Step) -> Step:
        self._steps.append(step)
        return step

    def _posted(self, role: Role, document: Document, *, of: int = -1) -> Step:
        as_xml = self._chance.random() < 0.4
        body = xml(document) if as_xml else orjson.dumps(document)
        number = int(document["identifier"].rpartition("-")[2])
        return Step(role=role, number=number, document=document, body=body, media=XML if as_xml else JSON, of=of)

    def _correction(self) -> Step:
        """Refer to something that nothing refers to yet: chains of two are enough to judge."""
        open_ = [s for s in self._steps[-self._last :] if s.role is Role.NEW and s.number not in self._referred]
        if not open_:
            return self._keep(self._posted(Role.NEW, self._new()))
        old = self._chance.choice(open_[-12:])
        self._referred.add(old.number)
        kind = self._chance.choice((Role.UPDATE, Role.CANCEL, Role.REVOKE))
        if kind is Role.REVOKE:
            return Step(role=kind, number=self._number(), of=old.number)
        made = alerts.update(self._chance, self._number(), old.document)
        if kind is Role.CANCEL:
            made = {**made, "msgType": "Cancel"}
        return self._keep(self._posted(kind, made, of=old.number))

    def _bad(self) -> Step:
        kind = self._chance.choice(("conflict", "conflict", "syntax", "draft", "root", "placeless", "placeless"))
        if kind == "conflict":
            old = self._chance.choice(self._steps[-self._last :])
            infos = [{**info, "instruction": "Stay where you are."} for info in old.document["info"]]
            return self._posted(Role.CONFLICT, {**old.document, "info": infos}, of=old.number)
        document = self._new()
        if kind == "placeless":
            vague = [{**info, "area": [{"areaDesc": "Somewhere"}]} for info in document["info"]]
            return self._posted(Role.PLACELESS, {**document, "info": vague})
        step = self._posted(Role.BAD, document | {"status": "Draft"})
        if kind == "syntax":
            return Step(role=Role.BAD, number=step.number, body=xml(document)[:-9], media=XML)
        if kind == "root":
            return Step(role=Role.BAD, number=step.number, body=b"<warning/>", media=XML)
        return step
