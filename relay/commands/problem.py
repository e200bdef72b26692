"""Problem documents and findings as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relay.commands.terminal import clean

_WORDS = {"error": "error", "fixed": "fixed", "warning": "warning"}


def problem_lines(problem: Mapping[str, Any]) -> list[str]:
    """Return a problem document (RFC 9457) as lines: what happened, what to do, then every finding."""
    title = clean(problem.get("title")) or "The relay refused this"
    status = problem.get("status")
    lines = [f"{title} ({status})" if status else title]
    detail = clean(problem.get("detail"))
    if detail and detail != title:
        lines.append(detail)
    return lines + finding_lines([*_rows(problem, "errors"), *_rows(problem, "findings")])


def finding_lines(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one line a finding, and its place on a second one."""
    lines = []
    for finding in findings:
        severity = _WORDS.get(str(finding.get("severity", "error")), "")
        head = " ".join(filter(None, (severity, clean(finding.get("rule")), _line_of(finding))))
        lines.append(f"  {head}: {clean(finding.get('message'))}")
        path = clean(finding.get("path"))
        if path:
            lines.append(f"      {path}")
    return lines


def _line_of(finding: Mapping[str, Any]) -> str:
    line = finding.get("line")
    return f"line {line}" if isinstance(line, int) else ""


def _rows(problem: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = problem.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
