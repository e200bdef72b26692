"""The short way for plain documents: nearly all are, and nothing in them is odd, so that nothing is to be said of them.

Plain are short documents in UTF-8 whose every ``<`` begins a tag without attributes (so no DOCTYPE, no entities, no
comments, no second namespace), with every element in its place, a value in each and no rule that objects.  The standard
library's parser reads them without a call into Python for each element.  Whatever is not plain is read the long way
(``relay.cap.xml_in``, ``relay.cap.build_parts``), which knows what to say of it.
"""

from __future__ import annotations

import re
from typing import NoReturn, cast
from xml.etree.ElementTree import Element, ParseError, XMLParser

from relay.cap.build_parts import EXACT, OWN_BOUND, REQUIRED, Parts
from relay.cap.characters import odd_character
from relay.cap.limits import Limits
from relay.cap.model import Alert, Pair
from relay.cap.rules import Findings
from relay.cap.tree import SCHEMA, Node, Trail

LONGEST = 64 * 1024

_UTF_8 = frozenset({None, "", "utf-8", "utf8"})
_HEAD = re.compile(
    rb"(?:<\?xml version=[\"']1\.0[\"'](?: encoding=[\"'](?:UTF|utf)-8[\"'])?\s*\?>)?\s*"
    rb"<alert\s+xmlns=[\"']urn:oasis:names:tc:emergency:cap:1\.2[\"']\s*>"
)
_NO_BARE_TAG = re.compile(rb"<(?!/?\w+\s*>)")


_REQUIRED = {name: frozenset(child for child, _ in places) for name, places in REQUIRED.items()}


class NotPlain(Exception):
    """Something is odd, or may be: the long way tells."""


def read_plain(body: bytes, *, charset: str | None, limits: Limits) -> Node:
    """Return the root of a plain document; its elements stand for nodes wherever nothing is found.

    Raises:
        NotPlain: it is not plain.
    """
    head = _HEAD.match(body) if len(body) <= LONGEST and charset in _UTF_8 else None
    # Every element has two tags here; one byte is counted ten times as fast as two.
    if head is None or body.count(b"<") > 2 * limits.elements or _NO_BARE_TAG.search(body, head.end()):
        raise NotPlain
    parser = XMLParser()  # noqa: S314 -- guarded by the line above: nothing can be declared or drawn in
    try:
        # The root's only attribute is the namespace of all elements: without it a tag is CAP's own name.
        parser.feed(b"<alert>")
        parser.feed(body[head.end() :])
        return cast("Node", parser.close())
    except (ParseError, ValueError) as error:
        raise NotPlain from error


class Silent(Findings):
    """The findings of a plain document: none."""

    def add(self, *_: object, **__: object) -> NoReturn:
        """Say that the document is not plain."""
        raise NotPlain

    def check(self, model: object, alert: Alert, trail: Trail) -> None:
        """Apply every rule: none may object."""
        if self.objects(model, alert):
            raise NotPlain


class PlainParts(Parts):
    """The children of one element by name, when nothing about them is odd."""

    def __init__(self, findings: Findings, limits: Limits, trail: Trail, *, ordered: bool) -> None:
        self.trail = trail
        self.extensions = ()
        self._findings = findings
        self._limits = limits
        element = cast("Element", trail[-1])
        self._nodes = cast("dict[str, list[Node]]", self._by_name(element))

    def plain_pair(self, node: Node) -> Pair:
        """Return the pair in a child."""
        parts = self._by_name(cast("Element", node))
        return Pair(*[parts[name][0].text or "" for name in ("valueName", "value")])

    def _meant(self, _: Node) -> NoReturn:
        raise NotPlain

    def _by_name(self, element: Element) -> dict[str, list[Element]]:
        """Return the children by name, their values stripped."""
        schema, rank, longest = SCHEMA[element.tag], 0, self._limits.text
        if not _blank(element.text) or len(element) > self._limits.items:
            raise NotPlain
        found: dict[str, list[Element]] = {}
        for child in element:
            name, text, tail = child.tag, child.text, child.tail
            place = schema.get(name)
            if place is None or place.rank < rank or (tail and not tail.isspace()):
                raise NotPlain
            rank = place.rank
            # One line without spaces around it, as most are; a container is looked at when it is its turn.
            tidy = text and text.isprintable() and text[0] != " " != text[-1] and len(text) <= longest
            if name not in SCHEMA and not (tidy and not len(child)):
                self._tidy_value(child)
            if name not in found:
                found[name] = [child]
            elif place.many:
                found[name].append(child)
            else:
                raise NotPlain
        if not found.keys() >= _REQUIRED[element.tag]:
            raise NotPlain
        return found

    def _tidy_value(self, element: Element) -> None:
        """Strip a value; look whether it may be as it is."""
        written, name = element.text or "", element.tag
        text = element.text = written.strip()
        if not text or len(element) or (text != written and name in EXACT):
            raise NotPlain
        if name not in OWN_BOUND and (len(text) > self._limits.text or odd_character(text) is not None):
            raise NotPlain


def _blank(text: str | None) -> bool:
    return text is None or text.isspace()
