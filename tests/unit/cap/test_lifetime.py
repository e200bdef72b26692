from __future__ import annotations

from datetime import timedelta

from relay.cap.lifetime import Expiry, alert_expires, effective, expires
from tests.unit.cap.samples import INFO, read, with_

EXPIRES = "<expires>2026-03-01T10:05:00+05:00</expires>"


def test_stated_end_counts() -> None:
    """CAP-018: an end that the agency gives is taken as it is."""
    alert = read(with_("", "")).alert
    info = alert.info[0]

    assert info.expires is not None
    assert expires(alert, info, assumed_hours=24) == Expiry(info.expires.instant, assumed=False)


def test_missing_end_is_assumed() -> None:
    """CAP-017: without expires the end is sent plus our hours, and says that it is assumed."""
    alert = read(with_(EXPIRES, "")).alert

    assert expires(alert, alert.info[0], assumed_hours=24) == Expiry(
        alert.sent.instant + timedelta(hours=24), assumed=True
    )


def test_effective_is_sent_when_absent() -> None:
    """CAP-017: an info without effective begins when it was sent."""
    alert = read(with_("", "")).alert
    later = read(with_("<expires>", "<effective>2026-03-01T05:00:00+05:00</effective><expires>")).alert

    assert effective(alert, alert.info[0]) == alert.sent.instant
    assert effective(later, later.info[0]) == alert.sent.instant + timedelta(minutes=54, seconds=20)


def test_alert_lives_as_long_as_its_longest_info() -> None:
    """The alert ends with its last info."""
    longer = INFO.replace("10:05:00", "23:00:00")
    alert = read(with_("</alert>", longer + "</alert>")).alert

    assert alert_expires(alert, assumed_hours=1).at == alert.sent.instant + timedelta(hours=18, minutes=54, seconds=20)


def test_bare_cancel_has_an_assumed_end() -> None:
    """CAP-024: a Cancel without info lives for the assumed hours."""
    alert = read(with_("<msgType>Alert", "<msgType>Cancel").replace(INFO, "")).alert

    assert alert_expires(alert, assumed_hours=3) == Expiry(alert.sent.instant + timedelta(hours=3), assumed=True)
