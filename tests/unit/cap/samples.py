"""Alerts for the tests of this room: one good alert, and ways to change one thing about it."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from relay.cap.parse import Limits, Parsed, parse_json, parse_xml
from relay.errors import Finding, InvalidAlert

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
LIMITS = Limits()
NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
POLYGON = "43.05,76.65 43.05,77.25 43.45,77.25 43.45,76.65 43.05,76.65"

AREA = f"""<area>
      <areaDesc>Almaty</areaDesc>
      <polygon>{POLYGON}</polygon>
    </area>"""
INFO = f"""<info>
    <language>en</language>
    <category>Geo</category>
    <event>Earthquake</event>
    <urgency>Immediate</urgency>
    <severity>Extreme</severity>
    <certainty>Observed</certainty>
    <expires>2026-03-01T10:05:00+05:00</expires>
    {AREA}
  </info>"""
ALERT = f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="{NAMESPACE}">
  <identifier>quake-1</identifier>
  <sender>duty@seismo.example</sender>
  <sent>2026-03-01T04:05:40+05:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  {INFO}
</alert>
"""


def with_(old: str, new: str, *, document: str = ALERT) -> str:
    """Return the good alert with ``old`` replaced by ``new``; ``old`` must be there."""
    assert old in document, old
    return document.replace(old, new, 1)


def read(document: str | bytes, *, strict: bool = False, charset: str | None = None) -> Parsed:
    """Parse XML with the default limits."""
    body = document.encode() if isinstance(document, str) else document
    return parse_xml(body, charset=charset, limits=LIMITS, strict=strict)


def refused(document: str | bytes, *, strict: bool = False, charset: str | None = None) -> InvalidAlert:
    """Parse XML that must be refused, and return the error."""
    try:
        read(document, strict=strict, charset=charset)
    except InvalidAlert as error:
        return error
    raise AssertionError("the alert was accepted")


def json_alert(**changes: object) -> dict[str, Any]:
    """Return the good alert as JSON values, with members changed; None removes one."""
    alert: dict[str, Any] = json.loads((EXAMPLES / "flood.json").read_text())
    alert = {**deepcopy(alert), **changes}
    return {name: value for name, value in alert.items() if value is not None}


def read_j(value: object, *, strict: bool = False) -> Parsed:
    """Parse JSON (values or bytes) with the default limits."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return parse_json(body, limits=LIMITS, strict=strict)


def refused_j(value: object, *, strict: bool = False) -> InvalidAlert:
    """Parse JSON that must be refused, and return the error."""
    try:
        read_j(value, strict=strict)
    except InvalidAlert as error:
        return error
    raise AssertionError("the alert was accepted")


def rules(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Return (rule, severity) of findings."""
    return [(finding.rule, finding.severity) for finding in findings]
