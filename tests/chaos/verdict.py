"""What a check may say: findings, each with the promise that it breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

#: The checks of ``durability-and-faults`` §3.3, with the word that tables use.
CHECKS = {
    "C1": "lost",
    "C2": "untrue",
    "C3": "unexpected",
    "C4": "unlabelled",
    "C4b": "unexplained copies",
    "C5": "recovered twice",
    "C6": "wrong answers",
    "C7": "sent too late",
    "C8": "priority",
    "C9": "went back",
    "C10": "counters",
    "C11": "durability",
    "T": "not ended",
    "H": "server errors",
    "A": "not accepted",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise: the check, and what was seen in a sentence."""

    check: str
    said: str


@dataclass(slots=True)
class Verdict:
    """What came of one round; ``figures`` are counts and percentiles that break nothing."""

    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> bool:
        """Whether every promise was kept."""
        return not self.findings

    def add(self, findings: Iterable[Finding]) -> None:
        """Take the findings of one check."""
        self.findings += findings

    @property
    def broken(self) -> Counter[str]:
        """How often each check was broken."""
        return Counter(finding.check for finding in self.findings)
