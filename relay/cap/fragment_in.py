"""Reads one foreign element that came as text (in JSON) and writes it in the form in which XML alerts keep theirs."""

from __future__ import annotations

from xml.parsers import expat

from relay.cap.fragment import SEPARATOR, FragmentWriter
from relay.cap.limits import Limits


class _Refused(Exception):
    """The text is not one plain, bounded element."""


class _Reader:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._declared: dict[str, str] = {}
        self._depth = 0
        self._elements = 0
        self.writer: FragmentWriter | None = None

    def declare(self, prefix: str | None, uri: str | None) -> None:
        self._declared[prefix or ""] = uri or ""

    def start(self, name: str, attributes: list[str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > self._limits.depth or self._elements > self._limits.elements:
            raise _Refused
        declared, self._declared = self._declared, {}
        if len(attributes) > 2 * self._limits.attributes or len(declared) > self._limits.namespaces:
            raise _Refused
        if self.writer is None:
            self.writer = FragmentWriter(declared)
        self.writer.start(name, attributes, declared)

    def end(self, _name: str) -> None:
        self._depth -= 1
        if self.writer is not None:
            self.writer.end()

    def data(self, text: str) -> None:
        if self.writer is not None:
            self.writer.data(text)

    def refuse(self, *_: object) -> None:
        raise _Refused


def read_fragment(text: str, limits: Limits) -> str | None:
    """Return the normal form of one XML element, or None when ``text`` is not exactly one (or has a DOCTYPE)."""
    reader = _Reader(limits)
    parser = expat.ParserCreate("utf-8", SEPARATOR)
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.namespace_prefixes = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartNamespaceDeclHandler = reader.declare
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(text.encode(), True)  # noqa: FBT003 - expat takes it by position only
    except (expat.ExpatError, _Refused, UnicodeEncodeError):
        return None
    return reader.writer.text if reader.writer is not None else None
