"""A figure: what was measured, what it should be, and what was measured beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.stats import spread

Beside = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure should reach; ``most``: the limit must not be exceeded, else it must be reached."""

    limit: float
    unit: str
    most: bool = False

    def met(self, value: float) -> bool:
        """Say whether ``value`` reaches the target."""
        return value <= self.limit if self.most else value >= self.limit

    def __str__(self) -> str:
        """Return the target as people read it."""
        return f"{'≤' if self.most else '≥'} {short(self.limit)} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure; ``beside`` holds what explains it, and ``conditions`` further targets by their name there.

    ``samples`` are the runs that ``value`` is the middle of, when there were several.
    ``value`` None: it could not be measured, ``beside["error"]`` says why.
    """

    name: str
    what: str
    value: float | None
    target: Target
    beside: Beside = field(default_factory=dict)
    conditions: Mapping[str, Target] = field(default_factory=dict)
    samples: Sequence[float] = ()

    @property
    def ok(self) -> bool:
        """Whether the target and every further one are reached."""
        return (
            self.value is not None
            and self.target.met(self.value)
            and all(name in self.beside and target.met(self.beside[name]) for name, target in self.conditions.items())
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of design §17."""
        beside = dict(self.beside)
        if self.conditions:
            beside["targets"] = {name: str(target) for name, target in self.conditions.items()}
        return {
            "what": self.what,
            "value": self.value,
            "target": str(self.target),
            "ok": self.ok,
            "unit": self.target.unit,
            "spread": spread(self.samples) if self.samples else None,
            "beside": beside,
        }


def document(figures: Sequence[Figure], **about: object) -> dict[str, Any]:
    """Return what is written to ``bench/results/<name>.json``: the figures by name, and what else is known."""
    return {**about, "figures": {figure.name: figure.to_dict() for figure in figures}}


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as people read them: one line each, what was measured beside it indented below."""
    lines: list[str] = []
    for figure in figures:
        value = "not measured" if figure.value is None else f"{short(figure.value)} {figure.target.unit}".rstrip()
        head = f"{figure.name:<4}{'✓' if figure.ok else '✗'} {value:<24} target {figure.target}   {figure.what}"
        lines.append(f"{head}{_from_to(figure.samples)}")
        for name, beside in figure.beside.items():
            target = f"   target {figure.conditions[name]}" if name in figure.conditions else ""
            lines.append(f"        {name.replace('_', ' '):<44} {words(beside)}{target}")
    return "\n".join(lines)


def _from_to(samples: Sequence[float]) -> str:
    """Return how far the runs lie apart."""
    return f"   (runs {short(min(samples))} to {short(max(samples))})" if len(samples) > 1 else ""


def words(value: object) -> str:
    """Return a value of ``beside`` as people read it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {words(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return " · ".join(words(inner) for inner in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return short(value)
    return str(value)


def short(number: float) -> str:
    """Return a number with three or four significant digits, thousands apart."""
    if number == int(number) or abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 100 else f"{number:.3g}"
