"""Recall: what a Cancel or an Update does to the alerts that it refers to, and who hears of a Cancel (design §7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from relay.adapter import Class, Kind
from relay.cap.model import Alert
from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.coverage import Range
from relay.fanout.gathered import Gathered
from relay.fanout.matcher import Matcher
from relay.fanout.plan import Frame, Pairs, PlannedLeg, joined, notice, translate
from relay.fanout.told import Audiences, pack_waits, read_waits
from relay.store.alerts import Alerts, StoredAlert
from relay.store.legs import Legs
from relay.store.plan_jobs import plan_score

#: States of a word that has no force, or none as yet.
_WAITS = ("held", "rejected")

#: A chain is followed over this many alerts; a cancel's pass has at most so many rounds.
_CHAIN = 50

#: After a loss a Cancel waits so many seconds for what it refers to: the journal tells Redis of both.
_COMING = 30.0
#: A Cancel that waited is planned long before so many seconds have passed.
_FORGET = 600.0

Read = Callable[[StoredAlert], Awaitable[Alert]]
Places = Mapping[Kind, Pairs]
Told = Mapping[tuple[str, Kind], Pairs]


@dataclass(frozen=True, slots=True)
class Notices:
    """One pass of a cancel: its legs, how many people it newly tells, and what a further pass must look at."""

    legs: Sequence[PlannedLeg]
    people: int
    number: int
    waits: str


class Recall:
    """Stops alerts, and finds who must hear that they are over."""

    def __init__(self, alerts: Alerts, legs: Legs, matcher: Matcher, read: Read, *, clock: Clock) -> None:
        self._alerts = alerts
        self._legs = legs
        self._matcher = matcher
        self._audiences = Audiences(legs)
        self._read = read
        self._clock = clock
        self._missed: dict[str, float] = {}  # cancels whose targets are not here, and since when
        #: Whether this worker has yet to tell Redis again what became of some legs.
        self.owes: Callable[[Iterable[str]], bool] = lambda _: False

    @property
    def missed(self) -> int:
        """How many Cancels are remembered whose targets were not here."""
        return len(self._missed)

    async def over(self, stored: StoredAlert) -> str:
        """Stop an alert that is over before it was published; returns its state then, empty when it is not over.

        The plan of the word that ends it would stop it as well, but may stand behind this one in the queue.  An Update
        that waits for a person ends nothing meanwhile: people would be left with neither.
        """
        words = {kind: by for kind, by in await self._alerts.referrers(stored["k1"]) if by != stored["id"]}
        for kind, state in (("Cancel", "cancelled"), ("Update", "superseded")):
            if kind in words and (kind == "Cancel" or await self._alerts.state(words[kind]) not in _WAITS):
                await self._stop(stored, state=state, cause=words[kind])
                await self._alerts.drop_plan(stored["id"])
                return state
        return ""

    async def give_back(self, update_id: str) -> None:
        """Let what an Update had ended before it was sent be planned after all, for its own plan needs a person."""
        update = await self._alerts.get(update_id)
        if update is None or update["msgType"] != "Update":
            return
        for target in await self._targets(update):
            if target["superseded_by"] == update_id and not target["reason"]:
                score = plan_score(target.klass, target.number("received"))
                await self._alerts.plan_again(target["id"], ended_by=update_id, score=score)

    async def supersede(self, update: StoredAlert) -> None:
        """Stop what an Update replaces."""
        for target in await self._targets(update):
            await self._stop(target, state="superseded", cause=update["id"])

    async def cancel(self, stored: StoredAlert) -> list[StoredAlert] | None:
        """Stop what a Cancel ends, and what that had replaced; returns these as they are then.

        None: after a loss some of them are not back from the journal yet; they come in a moment.
        """
        # Asked first: one that comes in between is among the targets.
        waits = bool(stored["again"]) and await self._awaited(stored)
        found = await self._targets(stored, chain=True)
        targets = [await self._stop(target, state="cancelled", cause=stored["id"]) for target in found]
        return None if waits else targets

    async def _awaited(self, stored: StoredAlert) -> bool:
        """Whether something that a Cancel refers to is missing, and not for long."""
        known = await self._alerts.by_triples(stored["referenced"].split())
        if all(known.values()):
            self._missed.pop(stored["id"], None)
            return False
        now = self._clock.monotonic()
        if stored["id"] not in self._missed:
            # Those whose targets never came are not asked about for ever.
            self._missed = {cancel: since for cancel, since in self._missed.items() if now - since < _FORGET}
        return now - self._missed.setdefault(stored["id"], now) < _COMING

    async def notices(
        self, stored: StoredAlert, alert: Alert, targets: Sequence[StoredAlert], frame: Frame, places: Places
    ) -> Notices:
        """Return whom the next pass of a Cancel tells: exactly those who were, or may have been, told.

        Chunks that are still being sent are waited for: their people are told, if they were, in a later pass.
        ``places`` are those who are in the areas of the Cancel itself, with the info for their place.

        Raises:
            StoreUnavailable: Redis is away, or does not know yet whom the alerts had reached.
        """
        number = stored.number("pass") + 1 if stored["pass"] else 0
        waits = read_waits(stored["waits"]) if number else None
        gathered = Gathered()
        still: dict[str, Sequence[Range]] = {}
        for target in targets:
            mine = None if waits is None else {leg: waits[leg] for leg in target.legs if leg in waits}
            told: Told
            if number == 0 and (forgotten(target) or await self._unheard(target)):
                told = {(target["id"], kind): pairs for kind, pairs in (await self._everybody(target)).items()}
            else:
                look = await self._audiences.look(target.legs, waits=mine)
                told = look.told
                still.update(look.waits)
            for (infos, kind), pairs in told.items():
                fresh = gathered.new(kind, pairs)
                if alert.info:
                    fresh = await self._reread(alert, fresh, target, infos)
                    fresh = at_their_place(fresh, places.get(kind))
                gathered.add(stored["id"] if alert.info else infos, kind, fresh)
        # Now, not before: the look may have met the server that has just taken over.
        if self.owes(leg for target in targets for leg in target.legs):
            raise StoreUnavailable("who was told of it is being told to Redis again")
        legs = _legs(gathered, frame, number)
        heard = await self._heard(stored) if number else set[int]()
        people = {int(o) for leg in legs for s in leg.segments for o in s.ordinals}
        return Notices(legs, len(people - heard), number, pack_waits(still))

    async def _unheard(self, target: StoredAlert) -> bool:
        """Whether an alert may have been planned and sent through another server, of which this one has nothing.

        One that was ever held, or waited for room, was not: nobody is told that it is over.
        """
        if target["pass"] or target.legs or target["reason"]:
            return False
        return await self._alerts.doubted(target["id"])

    async def _everybody(self, target: StoredAlert) -> Places:
        """Return whom an alert was for: all of them may have been told when nobody can say any more who was."""
        audience = await self._matcher.match(await self._read(target), drill=target.klass is Class.PX)
        return audience.pairs

    async def _heard(self, stored: StoredAlert) -> set[int]:
        """Return who was told in earlier passes, so that nobody counts as two people."""
        heard: set[int] = set()
        for leg in await self._legs.get_many(stored.legs):
            for number in range(len(leg.cursor.sizes) if leg is not None else 0):
                segment = await self._legs.segment(leg.leg_id, number) if leg is not None else None
                heard.update(segment.ordinals.tolist() if segment is not None else ())
        return heard

    async def _stop(self, target: StoredAlert, *, state: str, cause: str) -> StoredAlert:
        """Stop an alert, and the legs that another planner published after it was read; returns it as it is then."""
        await self._alerts.stop(target, state=state, cause=cause)
        after = await self._alerts.get(target["id"]) or target
        if after.legs != target.legs:
            await self._alerts.stop(after, state=state, cause=cause)
        return after

    async def _reread(self, alert: Alert, pairs: Pairs, target: StoredAlert, infos: str) -> Pairs:
        """Let people who read the infos of an earlier alert read those of the cancel, in the nearest language."""
        old = target if infos == target["id"] else await self._alerts.get(infos)
        table = translate((await self._read(old)).info if old else (), alert.info)
        return Pairs(pairs.ordinals, pairs.slots, table[np.minimum(pairs.infos, len(table) - 1)])

    async def _targets(self, stored: StoredAlert, *, chain: bool = False) -> list[StoredAlert]:
        """Return the alerts that ``stored`` refers to, newest first; ``chain``: and those that they had replaced."""
        found: dict[str, StoredAlert] = {}
        sources = [stored]
        while sources and len(found) < _CHAIN:
            source = sources.pop(0)
            digests = source["referenced"].split()
            if source is not stored:
                digests = [digest for digest in digests if await self._in_force(source, digest)]
            by_triple = await self._alerts.by_triples(digests)
            for alert_id in sorted({i for ids in by_triple.values() for i in ids} - found.keys() - {stored["id"]}):
                target = await self._alerts.get(alert_id)
                if target is not None:
                    found[alert_id] = target
                    sources += [target] if chain else []
        return sorted(found.values(), key=lambda t: -t.number("received"))[:_CHAIN]

    async def _in_force(self, source: StoredAlert, digest: str) -> bool:
        """Say whether ``source`` was ever accepted as a word on this triple: what is held replaces nothing."""
        return any(alert_id == source["id"] for _, alert_id in await self._alerts.referrers(digest))


def forgotten(target: StoredAlert) -> bool:
    """Whether an alert had been taken before Redis lost everything, and what became of it is lost as well."""
    return bool(target["again"]) and not target.legs


def at_their_place(told: Pairs, places: Pairs | None) -> Pairs:
    """Let those of ``told`` who are in an area of the Cancel read the info for that area; others keep theirs."""
    if places is None or not len(places.ordinals) or not len(told.ordinals):
        return told
    order = np.argsort(places.keys)
    keys = places.keys[order]
    at = np.minimum(np.searchsorted(keys, told.keys), len(keys) - 1)
    here = keys[at] == told.keys
    return Pairs(told.ordinals, told.slots, np.where(here, places.infos[order][at], told.infos))


def _legs(gathered: Gathered, frame: Frame, number: int) -> list[PlannedLeg]:
    legs: list[PlannedLeg] = []
    for place, (infos, kinds) in enumerate(gathered.by_infos.items()):
        told = {kind: joined(parts) for kind, parts in kinds.items()}
        legs += notice(frame, told, round_number=number * _CHAIN + place, variants_of=infos)
    return legs
