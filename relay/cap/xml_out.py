"""Writes an alert as CAP 1.2 XML in CAP's element order; reading it gives the same alert."""

from __future__ import annotations

from collections.abc import Mapping

from relay.cap.fragment import escape_text
from relay.cap.json_out import to_json
from relay.cap.model import Alert
from relay.cap.tree import CAP_NAMESPACE


def to_xml(alert: Alert) -> bytes:
    """Return ``alert`` as a UTF-8 document.

    It is a new document, not the agency's: a signature inside is kept, but no longer fits.
    """
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n', f'<alert xmlns="{CAP_NAMESPACE}">\n']
    _members(to_json(alert), parts, indent="  ")
    parts.append("</alert>\n")
    return "".join(parts).encode()


def _members(members: Mapping[str, object], parts: list[str], *, indent: str) -> None:
    for name, value in members.items():
        for item in value if isinstance(value, list) else [value]:
            if name == "extensions":
                parts.append(f"{indent}{item}\n")
            elif isinstance(item, dict):
                parts.append(f"{indent}<{name}>\n")
                _members(item, parts, indent=indent + "  ")
                parts.append(f"{indent}</{name}>\n")
            else:
                parts.append(f"{indent}<{name}>{escape_text(str(item))}</{name}>\n")
