"""What an alert's references mean for its class and for the verdict: a pure decision over what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.adapter import Class
from relay.cap.model import Alert
from relay.cap.priority import corrects, lowers_severity
from relay.cap.references import reference_key
from relay.intake.authority import Key, may_send

_ORDER = {klass: rank for rank, klass in enumerate(Class)}


@dataclass(frozen=True, slots=True)
class Target:
    """An alert that is referred to, as far as it is known; ``alert`` is given where its text was read.

    ``title`` is what people call it.
    """

    alert_id: str
    klass: Class
    status: str
    alert: Alert | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """What follows: the class to use, ids that make a Cancel ambiguous, and a reason to hold, if any."""

    klass: Class
    ambiguous: tuple[str, ...]
    hold: str


def relate(alert: Alert, klass: Class, targets: Mapping[str, Sequence[Target]] | None, *, key: Key) -> Relations:
    """Judge the references of ``alert``; ``targets`` are known alerts by k1, None when nobody could look.

    A Cancel of something unknown is treated as the worst: to hurry a correction harms nobody.
    """
    if alert.msg_type not in ("Cancel", "Update") or alert.status != "Actual":
        return Relations(klass=klass, ambiguous=(), hold=_hold(alert, key, targets))
    if targets is None:
        raised = Class.P0 if alert.msg_type == "Cancel" else klass
        return Relations(klass=raised, ambiguous=(), hold=_hold(alert, key, targets))
    for target in (t for found in targets.values() for t in found):
        lowers = target.alert is not None and lowers_severity(target.alert, alert)
        correction = corrects(target.klass, alert.msg_type, lowers=lowers)
        if correction is not None and _ORDER[correction] < _ORDER[klass]:
            klass = correction
    ambiguous = tuple(t.alert_id for found in targets.values() if len(found) > 1 for t in found)
    return Relations(klass=klass, ambiguous=ambiguous, hold=_hold(alert, key, targets))


def _hold(alert: Alert, key: Key, targets: Mapping[str, Sequence[Target]] | None) -> str:
    """Return why a person must look: another agency's alert, or a drill's word about a real one."""
    if alert.msg_type not in ("Cancel", "Update"):
        return ""
    for reference in alert.references:
        if reference.sender != alert.sender and not may_send(key, reference.sender):
            return "foreign_reference"
        for target in (targets or {}).get(reference_key(reference), ()):
            if (target.status == "Actual") != (alert.status == "Actual"):
                return "drill_and_real"
    return ""
