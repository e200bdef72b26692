"""``relay validate``: every finding about an alert, without a relay and without sending anything."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relay.commands.alert_file import AlertFile
from relay.commands.failures import REFUSED
from relay.commands.input_file import InputFile
from relay.commands.options import Json, options_of
from relay.commands.terminal import clean, raw, say

if TYPE_CHECKING:
    from relay.errors import Finding
    from relay.settings import Settings


def validate(
    context: typer.Context,
    *,
    file: InputFile,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what would otherwise be repaired.")] = False,
    json: Json = False,
) -> None:
    """Check an alert offline and print every finding.

    The exit code is 1 when it would be refused.
    What depends on a key (its senders, its area, its mode) is known to the relay only: `relay send --dry-run`.
    """
    from relay.clock import SystemClock
    from relay.commands.alert_file import read

    options = options_of(context)
    settings, now = options.settings(), SystemClock().now()
    report = examine(read(file), settings=settings, strict=strict, language=options.language, now=now)
    if json:
        import orjson

        raw(orjson.dumps(report))
    else:
        for line in report_lines(report):
            say(line)
    raise typer.Exit(0 if report["valid"] else REFUSED)


def examine(alert: AlertFile, *, settings: Settings, strict: bool, language: str, now: datetime) -> dict[str, Any]:
    """Return ``{"valid", "priority", "sender", "identifier", "ended", "findings"}``; the last as in design §18.

    ``ended`` is when the alert ended, if that is before ``now``: the relay would keep it and tell nobody.
    """
    from relay.cap.lifetime import alert_expires
    from relay.cap.limits import Limits
    from relay.cap.parse import parse_json, parse_xml
    from relay.cap.priority import alert_class
    from relay.errors import InvalidAlert

    limits = Limits(max_vertices=settings.cap.max_vertices, max_polygons=settings.cap.max_polygons)
    if len(alert.body) > settings.cap.max_bytes:
        return _refused(f"The file is larger than {settings.cap.max_bytes} bytes (cap.max_bytes).")
    try:
        if alert.is_json:
            parsed = parse_json(alert.body, limits=limits, strict=strict)
        else:
            parsed = parse_xml(alert.body, charset=None, limits=limits, strict=strict)
    except InvalidAlert as error:
        if not error.findings:
            return _refused(error.detail)
        return {"valid": False, "findings": findings_of(error.findings, language=language)}
    klass = alert_class(parsed.alert, flash_events=settings.priority.flash_events)
    end = alert_expires(parsed.alert, assumed_hours=settings.cap.assumed_expires_hours).at
    return {
        "valid": True,
        "priority": str(klass),
        "sender": parsed.alert.sender,
        "identifier": parsed.alert.identifier,
        "ended": end.isoformat() if end <= now else None,
        "findings": findings_of(parsed.findings, language=language),
    }


def _refused(message: str) -> dict[str, Any]:
    finding = {"rule": "", "severity": "error", "message": message, "path": "", "line": None}
    return {"valid": False, "findings": [finding]}


def findings_of(findings: tuple[Finding, ...], *, language: str) -> list[dict[str, Any]]:
    """Return findings as machines read them, their sentences in ``language``."""
    return [
        {
            "rule": finding.rule,
            "severity": finding.severity,
            "message": (finding.message_ru if language == "ru" else "") or finding.message,
            "path": finding.path,
            "line": finding.line,
        }
        for finding in findings
    ]


def report_lines(report: dict[str, Any]) -> list[str]:
    """Return what a person reads: the verdict, then each finding."""
    from relay.commands.problem import finding_lines

    findings = report["findings"]
    if not report["valid"]:
        errors = sum(finding["severity"] == "error" for finding in findings)
        head = f"refused: {errors} error{'s' if errors != 1 else ''}"
    elif findings:
        head = (
            f"can be accepted as {report['priority']}, with {len(findings)} remark{'s' if len(findings) != 1 else ''}"
        )
    else:
        head = f"can be accepted as {report['priority']}: nothing to remark"
    who = [f"  {clean(report['sender'])} {clean(report['identifier'])}"] if report["valid"] else []
    if report.get("ended"):
        who.append(f"  it ended at {report['ended']}: the relay would keep it and tell nobody")
    return [head, *who, *finding_lines(findings)]
