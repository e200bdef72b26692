"""From an agency's bytes to one alert with every finding: XML or JSON, lenient or strict; pure and bounded."""

from __future__ import annotations

from dataclasses import dataclass

from relay.cap.build import Builder
from relay.cap.build_area import ShapePlace
from relay.cap.json_in import read_json
from relay.cap.limits import Limits
from relay.cap.model import Alert
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


def parse_xml(body: bytes, *, charset: str | None, limits: Limits, strict: bool) -> Parsed:
    """Read one CAP 1.2 XML document; ``charset`` is the parameter of Content-Type, if any.

    Raises:
        relay.errors.InvalidAlert: status 400 for what cannot be read (415 for an unusable ``charset``), 422 for what
            an alert may not say; with all findings.
    """
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
