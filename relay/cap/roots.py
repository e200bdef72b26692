"""What to tell an agency whose document is not one CAP 1.2 alert: which dialect it looks like, and what to do."""

from __future__ import annotations

from typing import NamedTuple

from relay.cap.fragment import SEPARATOR
from relay.cap.rules import refusal
from relay.cap.tree import CAP_NAMESPACE
from relay.errors import InvalidAlert


class _Hint(NamedTuple):
    en: str
    ru: str


_OLD = _Hint(
    "This is an older CAP. Export the alert as CAP 1.2.",
    "Это более старая версия CAP. Выгрузите предупреждение как CAP 1.2.",
)
_FEED = _Hint(
    "This is a feed. Post each alert of it by itself.",
    "Это лента. Отправляйте каждое предупреждение отдельно.",
)
_WRAPPED = _Hint(
    "Take the <alert> out of this envelope and post it by itself.",
    "Выньте <alert> из этой обёртки и отправьте его отдельно.",
)
_NAMESPACE = _Hint(
    "The name is right, the namespace is not: write it exactly so.",
    "Имя верное, пространство имён — нет: напишите его точно так.",
)
_CASE = _Hint("The root is called alert.", "Корень должен называться alert.")
_OTHER = _Hint("This is not a CAP alert.", "Это не предупреждение CAP.")
_FEEDS = frozenset({"feed", "rss", "RDF"})


def _hint(namespace: str, local: str) -> _Hint:
    if local in _FEEDS:
        return _FEED
    if local == "alert":
        old = "cap:1.1" in namespace or "cap/1.0" in namespace or "cap:1.0" in namespace
        return _OLD if old else _NAMESPACE
    if local in {"alerts", "EDXLDistribution"}:
        return _WRAPPED
    return _CASE if namespace == CAP_NAMESPACE else _OTHER


def root_refusal(name: str, *, line: int) -> InvalidAlert:
    """Return the error for a root element with expat's ``name`` that is not CAP 1.2's (CAP-012)."""
    parts = name.split(SEPARATOR)
    namespace, local = (parts[0], parts[1]) if len(parts) > 1 else ("", name)
    hint = _hint(namespace, local)
    return refusal("root", line=line, path=f"/{local}", name=local, namespace=namespace, hint=hint.en, hint_ru=hint.ru)
