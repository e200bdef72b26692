"""The rule catalogue and the collector of findings: every finding an alert can get comes through here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from relay.cap.model import Alert
from relay.cap.rules_alert import ALERT_RULES
from relay.cap.rules_area import AREA_RULES
from relay.cap.rules_build import BUILD_RULES
from relay.cap.rules_entry import Check, Hits, Rule
from relay.cap.rules_info import INFO_RULES
from relay.cap.rules_syntax import SYNTAX_RULES
from relay.cap.tree import Node, Paths, Trail
from relay.errors import Finding, InvalidAlert

RULES: tuple[Rule, ...] = (*SYNTAX_RULES, *BUILD_RULES, *ALERT_RULES, *INFO_RULES, *AREA_RULES)
CATALOGUE: dict[str, Rule] = {rule.key: rule for rule in RULES}

_CHECKS: dict[type, tuple[tuple[str, Check], ...]] = {
    on: tuple((rule.key, rule.check) for rule in RULES if rule.on is on and rule.check is not None)
    for on in {rule.on for rule in RULES if rule.on is not None}
}

MOST_FINDINGS = 100
"""Kept per severity: enough for a person, a bound for a hostile alert."""

_ECHO = 64


def clip(value: str) -> str:
    """Return at most 64 characters of what was sent, with everything unprintable escaped."""
    shown = "".join([c if c.isprintable() else f"\\u{ord(c):04x}" for c in value[: _ECHO + 1]])
    return shown if len(shown) <= _ECHO else shown[: _ECHO - 1] + "…"


class Findings:
    """What the rules have to say about one alert, in one mode."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self._paths = Paths()
        self._kept: dict[str, list[Finding]] = {"error": [], "fixed": [], "warning": []}
        self._dropped = 0
        self._slugs: dict[str, int] = {}

    def add(self, key: str, trail: Sequence[Node], **values: str) -> None:
        """Record that rule ``key`` applies at the end of ``trail``; ``values`` fill its sentence.

        Raises:
            KeyError: the catalogue has no such rule.
        """
        rule = CATALOGUE[key]
        severity = rule.strict if self.strict else rule.lenient
        if severity == "error":
            self._slugs.setdefault(rule.slug, rule.status)
        kept = self._kept[severity]
        if len(kept) >= MOST_FINDINGS:
            self._dropped += 1
            return
        shown = {name: clip(value) for name, value in values.items()}
        kept.append(
            Finding(
                rule=values.get("rule", rule.id),
                severity=severity,
                message=rule.en.format_map(shown),
                message_ru=rule.ru.format_map(shown),
                path=self._paths.of(trail),
                line=trail[-1].line,
            )
        )

    def check(self, model: object, alert: Alert, trail: Trail) -> None:
        """Apply every rule of the catalogue that looks at this kind of container."""
        for key, hits in self.objects(model, alert):
            for hit in hits:
                node = next((child for child in trail[-1].children if child.name == hit.child), None)
                self.add(key, trail if node is None else (*trail, node), **hit.values)

    def objects(self, model: object, alert: Alert) -> list[tuple[str, Hits]]:
        """Return the keys of the rules that object to this container, each with where."""
        return [(key, hits) for key, check in _CHECKS.get(type(model), ()) if (hits := check(model, alert))]

    @property
    def all(self) -> tuple[Finding, ...]:
        """Everything that was found, errors first."""
        found = [*self._kept["error"], *self._kept["fixed"], *self._kept["warning"]]
        if self._dropped:
            more = CATALOGUE["more"]
            count = {"count": str(self._dropped)}
            en, ru = more.en.format_map(count), more.ru.format_map(count)
            found.append(Finding(rule=more.id, severity="warning", message=en, message_ru=ru))
        return tuple(found)

    @property
    def refused(self) -> bool:
        """Whether at least one finding is an error."""
        return bool(self._slugs)

    def refuse(self) -> NoReturn:
        """Raise what the agency gets.

        Raises:
            InvalidAlert: always; one kind of error names the problem type, several are ``validation-failed``.
        """
        errors = len(self._kept["error"])
        slug, status = next(iter(self._slugs.items())) if len(self._slugs) == 1 else ("validation-failed", 422)
        detail = f"Nothing was stored and nobody was told. {errors} error{'s' if errors != 1 else ''}."
        raise InvalidAlert(slug, detail, status=status, findings=self.all)


def refusal(key: str, *, line: int | None = None, path: str = "", **values: str) -> InvalidAlert:
    """Return the error for one rule that stops the reading at once (syntax), or that another room found."""
    rule = CATALOGUE[key]
    shown = {"line": str(line), **{name: clip(value) for name, value in values.items()}}
    finding = Finding(
        rule=rule.id,
        severity="error",
        message=rule.en.format_map(shown),
        message_ru=rule.ru.format_map(shown),
        path=path,
        line=line,
    )
    return InvalidAlert(rule.slug, finding.message, status=rule.status, findings=(finding,))
