"""Recipients as people read them: documents of the API in, lines and tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relay.commands.terminal import Sheet, clean

MOST_ERRORS = 50
"""Errors of an import that are printed; all of those the relay lists are in ``--json``."""

_WIDTH = 14


def import_lines(report: Mapping[str, Any]) -> list[str]:
    """Return what an import led to: the counts, then each line that was refused."""
    imported, updated, failed = (int(report.get(name) or 0) for name in ("imported", "updated", "failed"))
    lines = [f"{imported:,} new, {updated:,} changed, {failed:,} refused"]
    errors = report.get("errors") or []
    for error in errors[:MOST_ERRORS]:
        where = " ".join(filter(None, (f"line {error.get('line')}", clean(error.get("path")))))
        lines.append(f"  {where}: {clean(error.get('message'))}")
    if failed > MOST_ERRORS:
        lines.append(f"  … and {failed - min(len(errors), MOST_ERRORS):,} more")
    if failed and imported + updated:
        lines.append("the good lines are stored; import the corrected ones again, nothing is doubled")
    return lines


def recipients_sheet(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """Return the table of recipients: how they are reached, not at which address."""
    return Sheet(
        columns=("id", "name", "languages", "by", "groups", "where", "from"),
        rows=[
            (
                clean(row.get("id")),
                clean(row.get("name")),
                _joined(row.get("languages")),
                _joined([address.get("kind") for address in row.get("addresses") or ()]),
                _joined(row.get("groups")),
                place(row),
                clean(row.get("min_severity")) or "-",
            )
            for row in rows
        ],
        empty="no recipients: `relay recipients import FILE` stores a list of them",
    )


def recipient_lines(recipient: Mapping[str, Any]) -> list[str]:
    """Return one recipient as lines: a name and its value each."""
    fields = {
        "id": recipient.get("id"),
        "name": recipient.get("name"),
        "languages": _joined(recipient.get("languages")),
        "groups": _joined(recipient.get("groups")),
        "needs": _joined(recipient.get("needs")),
        "where": place(recipient),
        "min severity": recipient.get("min_severity"),
        "hazards": _joined(recipient.get("hazards")) if recipient.get("hazards") else "all",
        "drills": "yes" if recipient.get("drills") else "no",
        "policy": recipient.get("policy"),
    }
    lines = [f"{name:<{_WIDTH}}{clean(value)}" for name, value in fields.items() if clean(value) not in ("", "-")]
    addresses = recipient.get("addresses") or ()
    return lines + [f"{clean(address.get('kind')):<{_WIDTH}}{clean(address.get('value'))}" for address in addresses]


def secret_lines(sent: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """Return the signing secrets that the relay made: they are in this answer and never again."""
    known = {address.get("secret") for address in sent.get("addresses") or () if isinstance(address, Mapping)}
    lines = []
    for address in stored.get("addresses") or ():
        secret = clean(address.get("secret"))
        if secret and secret not in known:
            lines.append(f"the secret of {clean(address.get('value'))} is shown once: {secret}")
    return lines


def place(recipient: Mapping[str, Any]) -> str:
    """Return where a recipient is, as far as the directory knows."""
    location = recipient.get("location")
    at = f"{location.get('lat')},{location.get('lon')}" if isinstance(location, Mapping) else ""
    codes = [clean(code.get("value")) for code in recipient.get("geocodes") or ()]
    return " ".join(filter(None, (at, *codes))) or "-"


def _joined(values: object) -> str:
    return " ".join(clean(value) for value in values) or "-" if isinstance(values, list) else clean(values) or "-"
