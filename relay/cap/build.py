"""From the neutral tree to the alert: every element in its place, everything odd reported, nothing refused early."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from relay.cap.build_area import AreaBuilder
from relay.cap.build_parts import Parts
from relay.cap.limits import Limits
from relay.cap.model import Alert, Info, Pair, Reference, Resource, Time
from relay.cap.references import names_itself, read_references
from relay.cap.rules import Findings
from relay.cap.shapes import Problem
from relay.cap.tree import Node, Trail
from relay.cap.words import read_words

_NO_TIME = Time("", datetime(1970, 1, 1, tzinfo=UTC))
"""Stands for a ``sent`` that cannot be read, so that the other rules can still speak; such an alert is refused."""


class Builder:
    """Builds one alert; findings go to ``findings``, whether or not the alert can be used."""

    def __init__(self, findings: Findings, limits: Limits, *, ordered: bool, parts: type[Parts] = Parts) -> None:
        self._findings = findings
        self._areas = AreaBuilder(findings, limits, ordered=ordered, parts=parts)
        self._parts = partial(parts, findings, limits, ordered=ordered)
        self._built: list[tuple[object, Trail]] = []

    @property
    def areas(self) -> AreaBuilder:
        """What was built of areas: their shapes and places."""
        return self._areas

    def build(self, root: Node) -> Alert:
        """Return the alert of ``root`` after all rules of the catalogue have spoken."""
        trail = (root,)
        parts = self._parts(trail)
        infos = tuple(self._info((root, node)) for node in parts.nodes("info"))
        alert = Alert(
            identifier=parts.text("identifier"),
            sender=parts.text("sender"),
            sent=parts.time("sent") or _NO_TIME,
            status=parts.word("status"),
            msg_type=parts.word("msgType"),
            source=parts.text("source"),
            scope=parts.word("scope"),
            restriction=parts.text("restriction"),
            addresses=self._quoted(parts, "addresses"),
            code=parts.texts("code"),
            note=parts.text("note"),
            references=self._references(parts),
            incidents=self._quoted(parts, "incidents"),
            info=infos,
            extensions=parts.extensions,
        )
        alert = self._without_itself(alert, parts)
        self._findings.check(alert, alert, trail)
        for model, place in (*self._built, *self._areas.built):
            self._findings.check(model, alert, place)
        return alert

    def _info(self, trail: Trail) -> Info:
        parts = self._parts(trail)
        info = Info(
            language=parts.text("language"),
            category=parts.words("category"),
            event=parts.text("event"),
            response_type=parts.words("responseType"),
            urgency=parts.word("urgency"),
            severity=parts.word("severity"),
            certainty=parts.word("certainty"),
            audience=parts.text("audience"),
            event_code=self._pairs(parts, "eventCode"),
            effective=parts.time("effective"),
            onset=parts.time("onset"),
            expires=parts.time("expires"),
            sender_name=parts.text("senderName"),
            headline=parts.text("headline"),
            description=parts.text("description"),
            instruction=parts.text("instruction"),
            web=parts.text("web"),
            contact=parts.text("contact"),
            parameter=self._pairs(parts, "parameter"),
            resource=tuple(self._resource((*trail, node)) for node in parts.nodes("resource")),
            area=tuple(self._areas.area((*trail, node)) for node in parts.nodes("area")),
            extensions=parts.extensions,
        )
        self._built.append((info, trail))
        return info

    def _resource(self, trail: Trail) -> Resource:
        parts = self._parts(trail)
        resource = Resource(
            resource_desc=parts.text("resourceDesc"),
            mime_type=parts.text("mimeType"),
            size=parts.text("size"),
            uri=parts.text("uri"),
            deref_uri=parts.text("derefUri"),
            digest=parts.text("digest"),
            extensions=parts.extensions,
        )
        self._built.append((resource, trail))
        return resource

    def _pairs(self, parts: Parts, name: str) -> tuple[Pair, ...]:
        return tuple([self._areas.pair(parts, node) for node in parts.nodes(name)])

    def _quoted(self, parts: Parts, name: str) -> tuple[str, ...]:
        words = read_words(parts.text(name))
        if words is None:
            parts.report(name, Problem("quotes", {"name": name}))
            return ()
        return words

    def _references(self, parts: Parts) -> tuple[Reference, ...]:
        reading = read_references(parts.text("references"))
        for word in reading.malformed:
            parts.report("references", Problem("reference-form", {"value": word}))
        return reading.references

    def _without_itself(self, alert: Alert, parts: Parts) -> Alert:
        """Drop a reference to this very message: followed, it would make the alert end itself."""
        if not alert.references:
            return alert
        others = tuple([reference for reference in alert.references if not names_itself(alert, reference)])
        if len(others) == len(alert.references):
            return alert
        parts.report("references", Problem("reference-self"))
        fields = {name: getattr(alert, name) for name in Alert.__dataclass_fields__}
        return Alert(**{**fields, "references": others})
