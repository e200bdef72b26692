"""What makes two alerts the same: the alert's id, and the keys K0, K1 and K2 that intake compares (design §5, §7).

Everything is computed from NFC text, with times as instants, so that writing the same alert in another way gives the
same keys.  Canonical values are JSON arrays: no two different alerts can be joined into the same bytes.
"""

from __future__ import annotations

import hashlib

import orjson

from relay.cap.canonical_xml import canonical_fragment
from relay.cap.model import Alert, Area, Info, Pair, Reference, Resource, Time
from relay.cap.normal import base32, nfc
from relay.cap.references import message_key
from relay.cap.times import seconds

_SIGNATURE = '="http://www.w3.org/2000/09/xmldsig#"'


def k0(body: bytes) -> str:
    """Return the key of the bytes as they came (hex)."""
    return hashlib.sha256(body).hexdigest()


def k1(alert: Alert) -> str:
    """Return the key of the message: sender, identifier and the instant of ``sent`` (26 characters)."""
    return message_key(alert.sender, alert.identifier, alert.sent)


def k2(alert: Alert) -> str:
    """Return the key of the content: all fields, the triple included, without signatures (hex)."""
    return hashlib.sha256(_bytes(["k2", *_alert(alert)])).hexdigest()


def alert_id(alert: Alert) -> str:
    """Return the alert's id: 26 characters that depend on the triple and the core.

    The core is what the alert is about: its events, areas, type and references, in no particular order.  Two alerts
    whose triples collide (a composer that cuts ``sent`` to the minute) stay two.
    """
    events = {info.event for info in alert.info}
    areas = {_text(_core_area(area)) for info in alert.info for area in info.area}
    references = {_text(_reference(reference)) for reference in alert.references}
    core = [sorted(events), sorted(areas), alert.msg_type, sorted(references)]
    triple = [alert.sender, alert.identifier, seconds(alert.sent)]
    return base32(hashlib.sha256(_bytes(["a1", triple, core])).digest())


def _bytes(value: object) -> bytes:
    written = orjson.dumps(value)
    return written if written.isascii() else nfc(written.decode()).encode()


def _text(value: object) -> str:
    return nfc(orjson.dumps(value).decode())


def _time(time: Time | None) -> int | None:
    return seconds(time) if time is not None else None


def _pairs(pairs: tuple[Pair, ...]) -> list[list[str]]:
    return [[pair.value_name, pair.value] for pair in pairs]


def _reference(reference: Reference) -> list[object]:
    return [reference.sender, reference.identifier, seconds(reference.sent)]


def _core_area(area: Area) -> list[object]:
    return [
        area.area_desc,
        sorted([polygon.text for polygon in area.polygons]),
        sorted([circle.text for circle in area.circles]),
        sorted(_pairs(area.geocodes)),
    ]


def _extensions(extensions: tuple[str, ...]) -> list[object]:
    """Leave signatures out: adding one does not change what the alert says."""
    return [canonical_fragment(text) for text in extensions if not _is_signature(text)]


def _is_signature(text: str) -> bool:
    head = text[: text.find(">")]
    name = head[1:].split(" ", 1)[0]
    prefix, _, local = name.rpartition(":")
    declaration = f"xmlns:{prefix}{_SIGNATURE}" if prefix else f"xmlns{_SIGNATURE}"
    return local == "Signature" and declaration in head


def _alert(alert: Alert) -> list[object]:
    return [
        alert.identifier,
        alert.sender,
        seconds(alert.sent),
        alert.status,
        alert.msg_type,
        alert.source,
        alert.scope,
        alert.restriction,
        alert.addresses,
        alert.code,
        alert.note,
        [_reference(reference) for reference in alert.references],
        alert.incidents,
        [_info(info) for info in alert.info],
        _extensions(alert.extensions),
    ]


def _info(info: Info) -> list[object]:
    return [
        info.language,
        info.category,
        info.event,
        info.response_type,
        info.urgency,
        info.severity,
        info.certainty,
        info.audience,
        _pairs(info.event_code),
        [_time(info.effective), _time(info.onset), _time(info.expires)],
        info.sender_name,
        info.headline,
        info.description,
        info.instruction,
        info.web,
        info.contact,
        _pairs(info.parameter),
        [_resource(resource) for resource in info.resource],
        [_area(area) for area in info.area],
        _extensions(info.extensions),
    ]


def _resource(resource: Resource) -> list[object]:
    return [
        resource.resource_desc,
        resource.mime_type,
        resource.size,
        resource.uri,
        resource.deref_uri,
        resource.digest,
        _extensions(resource.extensions),
    ]


def _area(area: Area) -> list[object]:
    return [
        area.area_desc,
        [polygon.text for polygon in area.polygons],
        [circle.text for circle in area.circles],
        _pairs(area.geocodes),
        area.altitude,
        area.ceiling,
        _extensions(area.extensions),
    ]
