"""The children of one container by name: sorted, stripped, counted, and reported where they are odd."""

from __future__ import annotations

from relay.cap.characters import odd_character
from relay.cap.enumerations import VALUES, exact
from relay.cap.limits import Limits
from relay.cap.model import Pair, Time
from relay.cap.rules import Findings
from relay.cap.shapes import Problem
from relay.cap.times import read_time
from relay.cap.tree import SCHEMA, Node, Trail

OWN_BOUND = frozenset({"polygon", "derefUri"})
"""Values with bounds of their own: points and decoded bytes."""

EXACT = frozenset({"identifier", "sender"}).union(VALUES)
"""Values that CAP compares letter by letter, so that spaces around them are worth a word."""

REQUIRED = {
    name: tuple((child, place) for child, place in places.items() if place.required) for name, places in SCHEMA.items()
}


class Parts:
    """What one container holds, by name; what is odd about it is reported on the way."""

    def __init__(self, findings: Findings, limits: Limits, trail: Trail, *, ordered: bool) -> None:
        self.trail = trail
        self.extensions: tuple[str, ...] = ()
        self._findings = findings
        self._limits = limits
        self._nodes: dict[str, list[Node]] = {}
        self._empty: dict[str, Node] = {}
        self._sort(trail[-1], ordered=ordered)
        self._count(trail[-1].name)
        self._require(trail[-1].name)

    def nodes(self, name: str) -> list[Node]:
        """Return the children called ``name``; none when absent or empty."""
        return self._nodes.get(name, [])

    def text(self, name: str) -> str:
        """Return the stripped value of ``name``; empty when absent."""
        nodes = self._nodes.get(name)
        return nodes[0].text if nodes else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the stripped values of a repeatable ``name``."""
        return tuple([node.text for node in self._nodes.get(name, ())])

    def time(self, name: str) -> Time | None:
        """Return the instant that ``name`` says; None when absent or no time."""
        nodes = self._nodes.get(name)
        if not nodes:
            return None
        reading = read_time(nodes[0].text)
        for note in reading.notes:
            self._findings.add(note, (*self.trail, nodes[0]), name=name, value=nodes[0].text)
        return reading.time

    def word(self, name: str) -> str:
        """Return the value of an enumeration; empty when absent or not one of its values."""
        nodes = self._nodes.get(name)
        return self._enumerated(name, nodes[0]) if nodes else ""

    def words(self, name: str) -> tuple[str, ...]:
        """Return the values of a repeatable enumeration."""
        return tuple([word for node in self._nodes.get(name, ()) if (word := self._enumerated(name, node))])

    def plain_pair(self, node: Node) -> Pair | None:
        """Return the ``valueName`` and ``value`` in a child that nothing is odd about, else None."""
        if node.text.strip() or [child.name for child in node.children] != ["valueName", "value"]:
            return None
        name, value = node.children
        if name.faults or value.faults:
            return None
        key, text = name.text.strip(), value.text.strip()
        plain = key and text and len(key) + len(text) <= self._limits.text and key.isprintable() and text.isprintable()
        return Pair(key, text) if plain else None

    def report(self, name: str, problem: Problem) -> None:
        """Report a problem of the (first) child called ``name``."""
        self._findings.add(problem.key, (*self.trail, *self.nodes(name)[:1]), **problem.values)

    def _enumerated(self, name: str, node: Node) -> str:
        return node.text if node.text in VALUES[name] else self._meant(node)

    def _meant(self, node: Node) -> str:
        """Report a word that CAP does not have here; return what it surely stands for, or nothing."""
        trail = (*self.trail, node)
        if node.text == "Very Likely" and node.name == "certainty":
            self._findings.add("very-likely", trail)
            return "Likely"
        meant = exact(node.name, node.text)
        values = f"{meant} ({', '.join(VALUES[node.name])})" if meant else ", ".join(VALUES[node.name])
        rule = SCHEMA[self.trail[-1].name][node.name].rule
        self._findings.add("enumeration", trail, rule=rule, name=node.name, value=node.text, values=values)
        return ""

    def _sort(self, node: Node, *, ordered: bool) -> None:
        schema = SCHEMA[node.name]
        extensions: list[str] = []
        highest, before = -1, ""
        for child in node.children:
            if child.faults is not None:
                self._report_faults(child)
            if child.raw is not None:
                extensions.append(child.raw)
                continue
            place = schema.get(child.name)
            if place is None or not self._tidy(child):
                continue
            if place.rank >= highest:
                highest, before = place.rank, child.name
            elif ordered and child.name not in self._nodes:
                self._findings.add("order", (*self.trail, child), name=child.name, before=before)
            self._nodes.setdefault(child.name, []).append(child)
        self.extensions = tuple(extensions)
        if node.text and (stray := node.text.strip()):
            self._findings.add("stray", self.trail, name=node.name, text=stray)

    def _report_faults(self, child: Node) -> None:
        for fault in child.faults or ():
            self._findings.add(fault.key, (*self.trail, child), **fault.values)

    def _tidy(self, child: Node) -> bool:
        """Strip the value and look at its characters; False when there is nothing in it."""
        if child.children:
            return True
        text = child.text.strip()
        if child.name not in SCHEMA:
            if text and len(text) != len(child.text) and child.name in EXACT:
                self._findings.add("padded", (*self.trail, child), name=child.name)
            child.text = text
        elif text:
            return True
        if not text:
            self._empty.setdefault(child.name, child)
            return False
        if not text.isprintable() or len(text) > self._limits.text:
            self._look(child, text)
        return True

    def _look(self, child: Node, text: str) -> None:
        if child.name in OWN_BOUND:
            return
        if len(text) > self._limits.text:
            limit = str(self._limits.text)
            self._findings.add("text-long", (*self.trail, child), name=child.name, length=str(len(text)), limit=limit)
        odd = odd_character(text)
        if odd is not None:
            self._findings.add(odd.key, (*self.trail, child), name=child.name, code=odd.code)

    def _count(self, name: str) -> None:
        schema = SCHEMA[name]
        for child, nodes in self._nodes.items():
            if len(nodes) == 1:
                continue
            if not schema[child].many:
                self._findings.add("twice", (*self.trail, nodes[1]), name=child)
            elif len(nodes) > self._limits.items and child != "polygon":
                self._findings.add("items", (*self.trail, nodes[0]), name=child, limit=str(self._limits.items))
                del nodes[self._limits.items :]

    def _require(self, name: str) -> None:
        for child, place in REQUIRED[name]:
            if child in self._nodes:
                continue
            empty = self._empty.pop(child, None)
            if empty is not None:
                self._findings.add("missing-empty", (*self.trail, empty), rule=place.rule, name=child)
            else:
                self._findings.add("missing", self.trail, rule=place.rule, name=child, parent=name)
        for child, node in self._empty.items():
            self._findings.add("empty", (*self.trail, node), name=child)
