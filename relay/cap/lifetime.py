"""How long an alert lives: when it takes effect, when it ends, and what is assumed if CAP leaves it open (§3.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from relay.cap.model import Alert, Info


@dataclass(frozen=True, slots=True)
class Expiry:
    """An end, and whether it is the relay's assumption because the agency gave none."""

    at: datetime
    assumed: bool


def effective(alert: Alert, info: Info) -> datetime:
    """Return when ``info`` takes effect; without ``effective`` that is ``sent`` (§3.2.2)."""
    return (info.effective or alert.sent).instant


def expires(alert: Alert, info: Info, *, assumed_hours: float) -> Expiry:
    """Return when ``info`` ends; without ``expires`` that is ``assumed_hours`` after ``sent``."""
    if info.expires is not None:
        return Expiry(info.expires.instant, assumed=False)
    return _assumed(alert, assumed_hours)


def alert_expires(alert: Alert, *, assumed_hours: float) -> Expiry:
    """Return the latest end of all infos; without any info (a bare Cancel) it is assumed."""
    ends = [expires(alert, info, assumed_hours=assumed_hours) for info in alert.info]
    if not ends:
        return _assumed(alert, assumed_hours)
    return max(ends, key=lambda end: (end.at, not end.assumed))


def _assumed(alert: Alert, hours: float) -> Expiry:
    return Expiry(alert.sent.instant + timedelta(hours=hours), assumed=True)
