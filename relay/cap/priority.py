"""How urgent an alert is: the one table of classes (design §8)."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from relay.adapter import Class
from relay.cap.model import Alert, Info

SEVERITIES: Final = ("Minor", "Moderate", "Severe", "Extreme")  # in rising order; the rank counts from 1

_RANKS: Final = {name: rank for rank, name in enumerate(SEVERITIES, start=1)}
_URGENCIES: Final = frozenset({"Immediate", "Expected", "Future", "Past"})
_CERTAINTIES: Final = frozenset({"Observed", "Likely", "Possible", "Unlikely"})
_SURE: Final = frozenset({"Observed", "Likely"})
_URGENT: Final = (Class.P0, Class.P1)
_ORDER: Final = {klass: place for place, klass in enumerate(Class)}


def severity_rank(severity: str) -> int:
    """Return 1 (Minor) to 4 (Extreme); Unknown, and whatever CAP does not name, reads as Moderate."""
    return _RANKS.get(severity, _RANKS["Moderate"])


def classify(alert: Alert, info: Info | None, *, flash_events: Collection[str]) -> Class:
    """Return the class of what ``info`` says, or of an alert that has no info.

    ``flash_events`` are CAP event codes and event names that are a flash when they are Immediate; they are
    compared whole, without regard to case.
    """
    if alert.status != "Actual":
        return Class.PX
    urgency, severity, certainty = _read(info)
    if urgency == "Past" or certainty == "Unlikely":
        return Class.P4
    immediate = urgency == "Immediate"
    if immediate and info is not None and _is_flash(info, flash_events):
        return Class.P0
    soon, sure = urgency in {"Immediate", "Expected"}, certainty in _SURE
    match severity:
        case "Extreme" | "Severe":
            return _of_grave(extreme=severity == "Extreme", immediate=immediate, soon=soon, sure=sure)
        case "Moderate":
            if immediate and sure:
                return Class.P2
            return Class.P4 if info is not None and "AllClear" in info.response_type else Class.P3
        case _:
            return Class.P4


def alert_class(alert: Alert, *, flash_events: Collection[str]) -> Class:
    """Return the most urgent class over the alert's infos."""
    infos: tuple[Info | None, ...] = alert.info or (None,)
    return min((classify(alert, info, flash_events=flash_events) for info in infos), key=_ORDER.__getitem__)


def corrects(old: Class, msg_type: str, *, lowers: bool) -> Class | None:
    """Return P0 when a message of ``msg_type`` corrects urgent news of class ``old`` already sent, else None.

    ``lowers`` says that an Update lowers the severity or withdraws (see :func:`lowers_severity`).  Ask only for
    a message whose status is Actual: a drill can never enter P0 to P4.
    """
    if old not in _URGENT:
        return None
    return Class.P0 if msg_type == "Cancel" or (msg_type == "Update" and lowers) else None


def lowers_severity(old: Alert, new: Alert) -> bool:
    """Return whether ``new`` takes back something of ``old``: less severe at its worst, all clear, past or unlikely."""
    return _worst(new) < _worst(old)


def _worst(alert: Alert) -> int:
    return max((0 if _withdraws(info) else severity_rank(info.severity) for info in alert.info), default=0)


def _withdraws(info: Info) -> bool:
    return "AllClear" in info.response_type or info.urgency == "Past" or info.certainty == "Unlikely"


def _of_grave(*, extreme: bool, immediate: bool, soon: bool, sure: bool) -> Class:
    if extreme and immediate and sure:
        return Class.P0
    return Class.P1 if soon and sure else Class.P2


def _read(info: Info | None) -> tuple[str, str, str]:
    """Return urgency, severity and certainty with Unknown read as Expected, Moderate and Likely."""
    if info is None:
        return "Expected", "Moderate", "Likely"
    return (
        info.urgency if info.urgency in _URGENCIES else "Expected",
        info.severity if info.severity in _RANKS else "Moderate",
        info.certainty if info.certainty in _CERTAINTIES else "Likely",
    )


def _is_flash(info: Info, flash_events: Collection[str]) -> bool:
    listed = _folded(frozenset(flash_events))
    return _fold(info.event) in listed or any(_fold(code.value) in listed for code in info.event_code)


@lru_cache(maxsize=8)
def _folded(names: frozenset[str]) -> frozenset[str]:
    return frozenset(_fold(name) for name in names if name.strip())


def _fold(name: str) -> str:
    # NFKC as well as case: "й" is one code point in one agency's tool and two in another's.
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
