"""One entry of the rule catalogue: what it is called, how hard it is, what it says in English and Russian."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from relay.cap.model import Alert, Area, Info, Resource

Severity = Literal["error", "fixed", "warning"]


class Hit(NamedTuple):
    """One place where a rule applies: a child of the checked container (or empty), and the sentence's values."""

    child: str = ""
    values: Mapping[str, str] = {}


Hits = Sequence[Hit]
NO_HITS: Hits = ()

Check = Callable[[Any, Alert], Hits]
"""Takes the checked container's model and the whole alert; pure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule with its number (``CAP-nnn`` = reference/cap-rules §1).

    ``key`` is unique (several sentences may share a number).  ``en`` and ``ru`` are format strings.  ``slug`` and
    ``status`` say which problem an error makes.  ``on`` and ``check`` are given when the rule looks at the finished
    model; without them a reader or the builder reports the rule.
    """

    id: str
    key: str
    lenient: Severity
    strict: Severity
    en: str
    ru: str
    slug: str = "validation-failed"
    status: int = 422
    on: type[Alert | Info | Area | Resource] | None = None
    check: Check | None = None


def found(child: str, **values: str) -> Hits:
    """Return one hit on ``child``."""
    return (Hit(child, values),)
