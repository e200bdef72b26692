"""The neutral tree that both readers yield: CAP's elements as nodes, and where each may stand (CAP-v1.2-os §3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

CAP_NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"


_MOST_FAULTS = 10
"""Kept per node: a value in ten thousand pieces needs no ten thousand notes."""


class Fault(NamedTuple):
    """What a reader noticed about one node: a key of the rule catalogue, and the values for its sentence."""

    key: str
    values: Mapping[str, str]


class Node:
    """One element (XML) or member (JSON).

    ``text`` is the value as written; ``raw`` is the XML text of an element that is not CAP's, else None;
    ``step`` is the part of the JSON Pointer below the parent, empty for XML; ``line`` is known for XML only.
    """

    __slots__ = ("children", "faults", "line", "name", "raw", "step", "text")

    def __init__(self, name: str, line: int | None, *, step: str = "") -> None:
        self.name = name
        self.line = line
        self.step = step
        self.text = ""
        self.raw: str | None = None
        self.children: list[Node] = []
        self.faults: list[Fault] | None = None

    def fault(self, key: str, **values: str) -> None:
        """Note what a reader found wrong here; the builder reports it."""
        if self.faults is None:
            self.faults = []
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(Fault(key, values))


Trail = tuple[Node, ...]
"""A node with all its ancestors, root first: enough to say where it is."""


class Place(NamedTuple):
    """How one child stands in its container: its rank in CAP's sequence, whether it repeats, whether it must be there.

    ``rule`` is the number of the rule that asks for it.
    """

    rank: int
    many: bool
    required: bool
    rule: str


def _schema(text: str) -> dict[str, Place]:
    """Read ``name``, ``name*`` (repeats) or ``name!`` (required), each with ``=NNN``, the rule that owns it."""
    places: dict[str, Place] = {}
    for rank, word in enumerate(text.split()):
        mark, _, rule = word.partition("=")
        places[mark.rstrip("*!")] = Place(rank, "*" in mark, "!" in mark, f"CAP-{rule}")
    return places


_PAIR = "valueName!={0} value={0}"

SCHEMA: dict[str, dict[str, Place]] = {
    "alert": _schema(
        "identifier!=001 sender!=002 sent!=004 status!=005 msgType!=006 source=002 scope!=008 restriction=008"
        " addresses=009 code*=010 note=005 references=007 incidents=009 info*=024"
    ),
    "info": _schema(
        "language=013 category!*=015 event!=021 responseType*=015 urgency!=016 severity!=016 certainty!=016"
        " audience=021 eventCode*=015 effective=004 onset=004 expires=004 senderName=021 headline=019 description=021"
        " instruction=021 web=020 contact=020 parameter*=015 resource*=025 area*=029"
    ),
    "resource": _schema("resourceDesc!=025 mimeType!=025 size=026 uri=028 derefUri=026 digest=027"),
    "area": _schema("areaDesc!=029 polygon*=030 circle*=035 geocode*=036 altitude=038 ceiling=038"),
    "eventCode": _schema(_PAIR.format("015")),
    "parameter": _schema(_PAIR.format("015")),
    "geocode": _schema(_PAIR.format("036")),
}
"""Containers and their children in CAP's order; everything else is a leaf."""

CAP_NAMES = frozenset(SCHEMA).union(*SCHEMA.values())


class Paths:
    """Writes where a node is: an XPath for XML, a JSON Pointer for JSON."""

    def __init__(self) -> None:
        self._numbers: dict[int, dict[int, int]] = {}

    def of(self, trail: Sequence[Node]) -> str:
        """Return the path of the last node of ``trail``."""
        if not trail:
            return ""
        if trail[-1].step:
            return "".join([f"/{node.step}" for node in trail[1:]])
        steps = [f"/{trail[0].name}"]
        for parent, node in pairwise(trail):
            steps.append(f"/{node.name}[{self._number(parent, node)}]")
        return "".join(steps) if trail[0].line is not None else ""

    def _number(self, parent: Node, node: Node) -> int:
        """Count same-named siblings once per parent: a hostile alert may ask for thousands of paths."""
        numbers = self._numbers.get(id(parent))
        if numbers is None:
            seen: dict[str, int] = {}
            numbers = {}
            for child in parent.children:
                seen[child.name] = numbers[id(child)] = seen.get(child.name, 0) + 1
            self._numbers[id(parent)] = numbers
        return numbers.get(id(node), 1)
