"""Writes an alert as JSON with CAP's element names and values (design §16); reading it gives the same alert."""

from __future__ import annotations

from collections.abc import Sequence

from relay.cap.model import Alert, Area, Info, Pair, Reference, Resource, Time
from relay.cap.words import write_words

_Members = dict[str, object]


def to_json(alert: Alert) -> dict[str, object]:
    """Return ``alert`` as values for a JSON encoder; what is absent or empty is left out."""
    return _present(
        {
            "identifier": alert.identifier,
            "sender": alert.sender,
            "sent": alert.sent.text,
            "status": alert.status,
            "msgType": alert.msg_type,
            "source": alert.source,
            "scope": alert.scope,
            "restriction": alert.restriction,
            "addresses": write_words(alert.addresses),
            "code": list(alert.code),
            "note": alert.note,
            "references": write_references(alert.references),
            "incidents": write_words(alert.incidents),
            "info": [_info(info) for info in alert.info],
            "extensions": list(alert.extensions),
        }
    )


def write_references(references: Sequence[Reference]) -> str:
    """Return the triplets as CAP writes them."""
    return " ".join([f"{one.sender},{one.identifier},{one.sent.text}" for one in references])


def _present(members: _Members) -> _Members:
    return {name: value for name, value in members.items() if value not in ("", [])}


def _time(time: Time | None) -> str:
    return time.text if time is not None else ""


def _pairs(pairs: Sequence[Pair]) -> list[_Members]:
    return [{"valueName": pair.value_name, "value": pair.value} for pair in pairs]


def _info(info: Info) -> _Members:
    return _present(
        {
            "language": info.language,
            "category": list(info.category),
            "event": info.event,
            "responseType": list(info.response_type),
            "urgency": info.urgency,
            "severity": info.severity,
            "certainty": info.certainty,
            "audience": info.audience,
            "eventCode": _pairs(info.event_code),
            "effective": _time(info.effective),
            "onset": _time(info.onset),
            "expires": _time(info.expires),
            "senderName": info.sender_name,
            "headline": info.headline,
            "description": info.description,
            "instruction": info.instruction,
            "web": info.web,
            "contact": info.contact,
            "parameter": _pairs(info.parameter),
            "resource": [_resource(resource) for resource in info.resource],
            "area": [_area(area) for area in info.area],
            "extensions": list(info.extensions),
        }
    )


def _resource(resource: Resource) -> _Members:
    return _present(
        {
            "resourceDesc": resource.resource_desc,
            "mimeType": resource.mime_type,
            "size": resource.size,
            "uri": resource.uri,
            "derefUri": resource.deref_uri,
            "digest": resource.digest,
            "extensions": list(resource.extensions),
        }
    )


def _area(area: Area) -> _Members:
    return _present(
        {
            "areaDesc": area.area_desc,
            "polygon": [polygon.text for polygon in area.polygons],
            "circle": [circle.text for circle in area.circles],
            "geocode": _pairs(area.geocodes),
            "altitude": area.altitude,
            "ceiling": area.ceiling,
            "extensions": list(area.extensions),
        }
    )
