"""How an accepted alert is named and remembered: its keys, and the fields that Redis holds."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from urllib.parse import quote

import orjson

from relay.adapter import Class
from relay.cap import identity
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.cap.parse import parse_json, parse_xml
from relay.cap.references import reference_key
from relay.errors import Finding
from relay.intake.memory import Identity
from relay.intake.records import AcceptRecord
from relay.store.alert_fields import GIVEN
from relay.store.new_alert import NewAlert

_TEST = "t."

#: What ended so lately is planned again: workers may still tell to whom it was sent (relay/fanout/replay.py).
_LATELY = timedelta(seconds=120)


def new_alert(
    record: AcceptRecord, number: int, alert: Alert, *, node: str, now: datetime | None, again: bool
) -> NewAlert:
    """Return what Redis is told of a journalled alert: now, or again after a loss; ``alert`` is what ``raw`` says.

    ``now`` is None while our clock is not trusted.  A Cancel or Update stays in force when it is over: what it refers
    to may live longer, and must not come back with the rest.
    """
    expires = record.expires or record.received_at
    state, reason = record.state, record.reason
    over = now is not None and expires + _LATELY <= now and alert.msg_type not in ("Cancel", "Update")
    if again and state == "accepted" and over:
        state, reason = "expired", "expired_before_recovery"
    senders = referenced_by(alert, test=record.test_mode) if alert.references else {}
    referenced = sorted(senders)
    facts = {**_facts(record, alert), "referenced": " ".join(referenced), "again": "1" if again else ""}
    if set(senders.values()) - {alert.sender}:
        # Another sender's alerts may be in another partition.
        facts["referenced_from"] = " ".join(quote(senders[k1]) for k1 in referenced)
    return NewAlert(
        alert_id=record.alert_id,
        k0=record.k0,
        k1=record.k1,
        k2=record.k2,
        node=node,
        number=number,
        state=state,
        reason=reason,
        msg_type=alert.msg_type,
        klass=Class(record.klass),
        received_ms=int(record.received_at.timestamp() * 1000),
        expires_ms=int(expires.timestamp() * 1000),
        referenced=referenced,
        raw=record.raw,
        fields={name: value for name, value in facts.items() if value},
    )


def referenced_by(alert: Alert, *, test: bool) -> dict[str, str]:
    """Return the senders of what an alert refers to, by k1 digest."""
    return {moded(reference_key(r), test=test): r.sender for r in alert.references}


def ends(alert: Alert, *, test: bool) -> list[str]:
    """Return the k1 digests of what an alert ends: a Cancel and an Update do."""
    return sorted(referenced_by(alert, test=test)) if alert.msg_type in ("Cancel", "Update") else []


def _facts(record: AcceptRecord, alert: Alert) -> dict[str, str]:
    info = alert.info[0] if alert.info else None
    return {
        "identifier": alert.identifier,
        "sender": alert.sender,
        "sent": alert.sent.text,
        "status": alert.status,
        "scope": alert.scope,
        "agency": record.agency,
        "key": record.key_id,
        "mode": "test" if record.test_mode else "live",
        "media": record.media,
        "charset": record.charset,
        "content_type": record.content_type,
        "event": info.event if info else "",
        "headline": info.headline if info else record.title or alert.note,
        "note": alert.note,
        "severity": info.severity if info else "",
        "areas": "; ".join(a.area_desc for a in info.area)[:500] if info else "",
        "findings": orjson.dumps(record.findings).decode() if record.findings else "[]",
        # K0 is the same digest, with the mode before it; the first journals have it too.
        "k1": GIVEN,
        "sha256": record.k0.removeprefix(_TEST) or hashlib.sha256(record.raw).hexdigest(),
    }


def identities(alert: Alert, body: bytes, *, test: bool) -> Identity:
    """Return the keys of an alert; those of a test key never meet those of a live one."""
    return Identity(
        alert_id=_moded_id(identity.alert_id(alert), test=test),
        k0=moded(identity.k0(body), test=test),
        k1=moded(identity.k1(alert), test=test),
        k2=moded(identity.k2(alert), test=test),
    )


def reparse(raw: bytes, *, media: str, charset: str, limits: Limits) -> Alert:
    """Read an accepted alert again: leniently, for it was judged already."""
    if media == "json":
        return parse_json(raw, limits=limits, strict=False).alert
    return parse_xml(raw, charset=charset or None, limits=limits, strict=False).alert


def finding_json(finding: Finding) -> dict[str, object]:
    """Return a finding in the shape of design §18."""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "message_ru": finding.message_ru,
        "path": finding.path,
        "line": finding.line,
    }


def moded(digest: str, *, test: bool) -> str:
    """Return a key of design §7 with the mode in it."""
    return f"{_TEST}{digest}" if test else digest


def _moded_id(alert_id: str, *, test: bool) -> str:
    """Return an id of the same form for a test key: 26 characters of base32."""
    if not test:
        return alert_id
    return base64.b32encode(hashlib.sha256(f"test {alert_id}".encode()).digest()).decode().lower()[:26]
