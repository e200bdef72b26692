"""From an agency's bytes to one alert with every finding: XML or JSON, lenient or strict; pure and bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from relay.cap.build import Builder
from relay.cap.build_area import ShapePlace
from relay.cap.json_in import read_json
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.cap.plain import NotPlain, PlainParts, Silent, read_plain
from relay.cap.rules import Findings
from relay.cap.tree import Node
from relay.cap.xml_in import read_xml
from relay.errors import Finding

__all__ = ["Limits", "Parsed", "ShapePlace", "parse_json", "parse_xml"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """An alert that may be accepted, what was repaired or is worth a warning, and where its shapes were written."""

    alert: Alert
    findings: tuple[Finding, ...]
    shapes: tuple[ShapePlace, ...] = ()


@dataclass(frozen=True, slots=True)
class _PlainPlace(ShapePlace):
    """A shape of a plain document: where it was written is looked for when somebody asks, which is seldom."""

    number: int
    again: Callable[[], Parsed]

    @property
    def path(self) -> str:
        return self.again().shapes[self.number].path

    @property
    def line(self) -> int | None:
        return self.again().shapes[self.number].line


def parse_xml(body: bytes, *, charset: str | None, limits: Limits, strict: bool) -> Parsed:
    """Read one CAP 1.2 XML document; ``charset`` is the parameter of Content-Type, if any.

    Raises:
        relay.errors.InvalidAlert: status 400 for what cannot be read (415 for an unusable ``charset``), 422 for what
            an alert may not say; with all findings.
    """
    try:
        return parse_plain(body, charset=charset, limits=limits, strict=strict)
    except NotPlain:
        return parse_thoroughly(body, charset=charset, limits=limits, strict=strict)


def parse_plain(body: bytes, *, charset: str | None, limits: Limits, strict: bool) -> Parsed:
    """Read a document the short way.

    Raises:
        NotPlain: something in it is odd, or may be.
    """
    builder = Builder(Silent(strict=strict), limits, ordered=True, parts=PlainParts)
    alert = builder.build(read_plain(body, charset=charset, limits=limits))
    again = partial(parse_thoroughly, body, charset=charset, limits=limits, strict=strict)
    written = builder.areas.shapes
    shapes = [_PlainPlace(place.shape, place.trail, number, again) for number, place in enumerate(written)]
    return Parsed(alert, (), tuple(shapes))


def parse_thoroughly(body: bytes, *, charset: str | None, limits: Limits, strict: bool) -> Parsed:
    """Read any document, with every finding; raises as :func:`parse_xml`."""
    findings = Findings(strict=strict)
    root = read_xml(body, charset=charset, limits=limits, strict=strict)
    return _built(root, findings, limits, ordered=True)


def parse_json(body: bytes, *, limits: Limits, strict: bool) -> Parsed:
    """Read one alert in JSON with CAP's element names (design §16).

    Raises:
        relay.errors.InvalidAlert: status 400 for what cannot be read, 422 for what an alert may not say.
    """
    findings = Findings(strict=strict)
    root = read_json(body, limits=limits, strict=strict)
    return _built(root, findings, limits, ordered=False)


def _built(root: Node, findings: Findings, limits: Limits, *, ordered: bool) -> Parsed:
    for fault in root.faults or ():
        findings.add(fault.key, (root,), **fault.values)
    builder = Builder(findings, limits, ordered=ordered)
    alert = builder.build(root)
    if findings.refused:
        findings.refuse()
    return Parsed(alert, findings.all, tuple(builder.areas.shapes))
