"""Accept an alert once: from bytes to a durable answer (design §6)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from relay.cap.lifetime import alert_expires
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.cap.parse import Parsed, parse_json, parse_xml
from relay.cap.priority import alert_class
from relay.cap.references import reference_key
from relay.clock import Clock
from relay.errors import IdentifierConflict, InvalidInput, StoreUnavailable
from relay.intake.answer import WHY, Answer, Judged, Post
from relay.intake.authority import Key, Mode, may_send
from relay.intake.frames import FrameType
from relay.intake.journal import Journal
from relay.intake.memory import Identity, Kind, Known, Memory, decide
from relay.intake.records import AcceptRecord, encode
from relay.intake.relations import Relations, Target, relate
from relay.intake.remember import Remember
from relay.intake.stored import ends, finding_json, identities, moded, new_alert, reparse
from relay.intake.verdict import Circumstances, State, Verdict, judge
from relay.intake.verdict_words import say
from relay.settings import Settings
from relay.store.alerts import Alerts, Remembered
from relay.store.new_alert import NewAlert

log = structlog.get_logger()

#: A body of more bytes than this is parsed in a thread.
LARGE = 256 * 1024


class Accept:
    """The one way in: HTTP, command line, later folders and feeds."""

    def __init__(
        self,
        *,
        journal: Journal,
        memory: Memory,
        alerts: Alerts,
        remember: Remember,
        settings: Settings,
        clock: Clock,
        node: str,
    ) -> None:
        self._journal = journal
        self._memory = memory
        self._alerts = alerts
        self._remember = remember
        self._settings = settings
        self._clock = clock
        self._node = node
        self._in_flight: dict[str, asyncio.Event] = {}
        self.clock_trusted = True
        self.limits = Limits(max_vertices=settings.cap.max_vertices, max_polygons=settings.cap.max_polygons)

    async def post(self, post: Post, *, key: Key) -> Answer:
        """Accept an alert.

        Raises:
            InvalidAlert: the alert is refused; carries all findings.
            InvalidInput: 403, the key may not post as this sender.
            IdentifierConflict: the same message with other content is accepted already.
            JournalUnavailable: nothing was accepted.
        """
        parsed, ids = await self._read(post, key)
        while (waiting := self._in_flight.get(ids.alert_id)) is not None:
            await waiting.wait()
        done = self._in_flight[ids.alert_id] = asyncio.Event()
        try:
            return await self._once(post, parsed, ids, key)
        finally:
            del self._in_flight[ids.alert_id]
            done.set()

    async def _read(self, post: Post, key: Key) -> tuple[Parsed, Identity]:
        """Parse and name an alert; a large one in a thread, for others must be answered meanwhile."""
        if len(post.body) <= LARGE:
            return self._parse(post, key)
        return await asyncio.to_thread(self._parse, post, key)

    def _parse(self, post: Post, key: Key) -> tuple[Parsed, Identity]:
        """Parse a body and check who sends it."""
        strict = post.strict or key.strict
        if post.media == "json":
            parsed = parse_json(post.body, limits=self.limits, strict=strict)
        else:
            parsed = parse_xml(post.body, charset=post.charset or None, limits=self.limits, strict=strict)
        if not may_send(key, parsed.alert.sender):
            allowed = ", ".join(key.senders) or "nobody"
            raise InvalidInput(
                "sender-not-allowed", f"this key may post as {allowed}, the alert's sender is another", status=403
            )
        return parsed, identities(parsed.alert, post.body, test=key.mode is Mode.TEST)

    async def judged(self, post: Post, *, key: Key) -> Judged:
        """Decide everything about an alert and store nothing: for a dry run.

        Raises:
            InvalidAlert, InvalidInput: as for :meth:`post`.
        """
        parsed, ids = await self._read(post, key)
        known, targets = await self._look(parsed.alert, ids, key)
        return self._judge(parsed, ids, known, targets, key)

    async def _once(self, post: Post, parsed: Parsed, ids: Identity, key: Key) -> Answer:
        known, targets = await self._look(parsed.alert, ids, key)
        if known.kind is Kind.SAME:
            return await self._duplicate(parsed, known)
        if known.kind is Kind.CONFLICT:
            raise IdentifierConflict(known.of)
        judged = self._judge(parsed, ids, known, targets, key)
        record = self._record(post, judged, key, title=_title(targets))
        number = await self._journal.append(FrameType.ACCEPT, encode(record))
        self._memory.add(ids, at=record.received_at)
        applied = await self._apply_now(record, number, parsed.alert)
        return Answer(
            alert_id=ids.alert_id,
            state=applied.state if applied else str(judged.verdict.state),
            reason=judged.verdict.reason,
            klass=judged.klass,
            identifier=parsed.alert.identifier,
            sender=parsed.alert.sender,
            sent=parsed.alert.sent.text,
            redis="applied" if applied else "pending",
            findings=judged.findings,
            copies=applied.copies if applied else 1,
        )

    async def _look(self, alert: Alert, ids: Identity, key: Key) -> tuple[Known, Mapping[str, Sequence[Target]] | None]:
        """Return what is known of this message and of those it refers to, within the budget for Redis."""
        own = self._memory.look_up(ids)
        if own.kind in (Kind.SAME, Kind.CONFLICT) or not self._remember.reaches(place := self._place(alert)):
            return own, None
        try:
            async with asyncio.timeout(self._settings.redis.accept_budget):
                stored = await self._alerts.look_up(k0=ids.k0, k1=ids.k1, alert_id=ids.alert_id, sender=alert.sender)
                targets = await self._targets(alert, key)
        except (StoreUnavailable, TimeoutError):
            self._remember.away(place)  # until it answers its next question: the next post does not wait
            return own, None
        known = decide(ids, k0_id=stored.by_bytes or None, k1_ids=stored.by_triple, known_k2=stored.k2 or None)
        return (own if known.kind is Kind.NEW else known), targets

    async def _targets(self, alert: Alert, key: Key) -> dict[str, list[Target]]:
        if alert.msg_type not in ("Cancel", "Update") or not alert.references:
            return {}
        digests = {moded(reference_key(r), test=key.mode is Mode.TEST): reference_key(r) for r in alert.references}
        found: dict[str, list[Target]] = {}
        for digest, ids in (await self._alerts.by_triples(list(digests))).items():
            for alert_id in ids:
                stored = await self._alerts.get(alert_id)
                if stored is None:
                    continue
                old = None
                if alert.msg_type == "Update" and stored.raw:
                    old = reparse(stored.raw, media=stored["media"], charset=stored["charset"], limits=self.limits)
                target = Target(alert_id, stored.klass, stored["status"], old, stored["headline"] or stored["event"])
                found.setdefault(digests[digest], []).append(target)
        return found

    def _judge(
        self, parsed: Parsed, ids: Identity, known: Known, targets: Mapping[str, Sequence[Target]] | None, key: Key
    ) -> Judged:
        alert, settings = parsed.alert, self._settings
        klass = alert_class(alert, flash_events=settings.priority.flash_events)
        relations: Relations = relate(alert, klass, targets, key=key)
        expiry = alert_expires(alert, assumed_hours=settings.cap.assumed_expires_hours)
        verdict = judge(
            alert,
            parsed.findings,
            key=key,
            klass=relations.klass,
            expiry=expiry,
            given=Circumstances(
                received_at=self._clock.now(),
                clock_trusted=self.clock_trusted,
                assumed_lifetime=timedelta(hours=settings.cap.assumed_expires_hours),
                ambiguous=relations.ambiguous if targets is not None else self._namesakes(alert, key),
            ),
            shapes=parsed.shapes,
        )
        if relations.hold and verdict.state is State.ACCEPTED:
            verdict = Verdict(
                state=State.HELD,
                reason=relations.hold,
                findings=(*verdict.findings, say(relations.hold)),
                counted_from=verdict.counted_from,
                expires=verdict.expires,
            )
        extra = (say("identifier_collision", id=known.of),) if known.kind is Kind.COLLISION else ()
        return Judged(
            parsed=parsed,
            ids=ids,
            verdict=verdict,
            klass=relations.klass,
            findings=(*parsed.findings, *verdict.findings, *extra),
        )

    def _place(self, alert: Alert) -> int:
        """Return the partition of an alert: that of its sender."""
        return self._alerts.keys.of_sender(alert.sender).number

    def _namesakes(self, alert: Alert, key: Key) -> tuple[str, ...]:
        """Return what this node remembers under triples that more than one alert has, while Redis cannot be asked."""
        test = key.mode is Mode.TEST
        found = (self._memory.same_triple(moded(reference_key(r), test=test)) for r in alert.references)
        return tuple(alert_id for ids in found if len(ids) > 1 for alert_id in ids)

    def _record(self, post: Post, judged: Judged, key: Key, *, title: str) -> AcceptRecord:
        ids, verdict = judged.ids, judged.verdict
        return AcceptRecord(
            alert_id=ids.alert_id,
            received_at=self._clock.now(),
            key_id=key.key_id,
            agency=key.name,
            content_type=post.content_type,
            charset=post.charset,
            media=post.media,
            strict=post.strict or key.strict,
            test_mode=key.mode is Mode.TEST,
            partition=self._place(judged.alert),
            k0=ids.k0,
            k1=ids.k1,
            k2=ids.k2,
            klass=judged.klass,
            state=verdict.state,
            reason=verdict.reason,
            title=title,
            refers=ends(judged.alert, test=key.mode is Mode.TEST),
            expires=verdict.expires,
            findings=[finding_json(finding) for finding in judged.findings],
            raw=post.body,
        )

    async def _apply_now(self, record: AcceptRecord, number: int, alert: Alert) -> Remembered | None:
        """Tell Redis within its budget; returns what it answered, or None when the record stays pending."""
        if not self._remember.reaches(record.partition):
            self._remember.later(record, number)
            return None
        try:
            async with asyncio.timeout(self._settings.redis.accept_budget):
                remembered = await self._alerts.accept(self.new_alert(record, number, alert=alert))
        except (StoreUnavailable, TimeoutError) as error:
            self._remember.away(record.partition, error)
            self._remember.later(record, number)
            return None
        except Exception:  # it is journalled, so it counts whatever went wrong here
            log.exception("record_not_applied", number=number, alert=record.alert_id)
            self._remember.later(record, number)
            return None
        self._remember.applied_now(number)
        return remembered

    def new_alert(
        self, record: AcceptRecord, number: int, *, alert: Alert | None = None, again: bool = False
    ) -> NewAlert:
        """Return what Redis is told of a journalled alert: now, or again after a loss; ``alert`` if it is parsed."""
        if alert is None:
            alert = reparse(record.raw, media=record.media, charset=record.charset, limits=self.limits)
        # A clock in doubt calls nothing expired: the engine asks Redis before anything is sent.
        now = self._clock.now() if self.clock_trusted else None
        return new_alert(record, number, alert, node=self._node, now=now, again=again)

    async def _duplicate(self, parsed: Parsed, known: Known) -> Answer:
        state = klass = ""
        try:
            async with asyncio.timeout(self._settings.redis.accept_budget):
                stored = await self._alerts.get(known.of, with_raw=False)
            if stored is not None:
                state, klass = stored["state"], stored["class"]
        except (StoreUnavailable, TimeoutError):
            log.debug("duplicate_state_unknown", alert=known.of)
        alert = parsed.alert
        return Answer(
            alert_id=known.of,
            state=state or "accepted",
            reason="",
            klass=klass or alert_class(alert, flash_events=self._settings.priority.flash_events),
            identifier=alert.identifier,
            sender=alert.sender,
            sent=alert.sent.text,
            redis="applied" if state else "pending",
            findings=parsed.findings,
            duplicate=(known.of, known.key, WHY[known.key]),
        )


def _title(targets: Mapping[str, Sequence[Target]] | None) -> str:
    """Return what a message without a text of its own is about."""
    return next((t.title for found in (targets or {}).values() for t in found if t.title), "")
