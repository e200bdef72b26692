"""Bugs to plant in a copy of the relay: the line, what it becomes, what provokes it, and which checks must see it.

A test holds that every one of them still fits the tree; who changes such a line changes it here as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.chaos.faults import Kind, Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One planted bug: ``edits`` are (file, old, new), each old text once in its file; ``faults`` provoke it."""

    name: str
    says: str
    edits: tuple[tuple[str, str, str], ...]
    seen: frozenset[str]
    faults: tuple[Planned, ...] = ()
    topology: str = "private"
    seconds: float = 12.0
    seed: int = 7
    bursts: int = field(default=1)


def _does(target: str, name: str, *ats: float, hold: float = 0.0, pick: float = 0.2) -> tuple[Planned, ...]:
    return tuple(Planned(kind=Kind(name=name, target=target), at=at, hold=hold, pick=pick) for at in ats)


_KILLS = _does("worker", "kill", 3.0, 5.0, 7.0, 9.0)
_SENDER = "relay/fanout/sender.py"
_RETRY = "relay/fanout/retry.py"
_RECORDER = "relay/fanout/recorder.py"
_SETTLE = "relay/store/lua/settle.lua"
_CLAIM = "relay/store/lua/claim.lua"
_NO_RECONCILE = ("relay/fanout/reconcile.py", "lost += orphans(number, states, leg.cursor, covered)", "pass")

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        name="answers_before_the_journal",
        says="202 without an entry in the journal",
        edits=(
            (
                "relay/intake/accept.py",
                "number = await self._journal.append(FrameType.ACCEPT, encode(record))",
                "number = 1 << 40",
            ),
        ),
        faults=(*_does("redis", "pause", 3.0, hold=3.0), *_does("node", "kill", 4.5)),
        seen=frozenset({"C1"}),
    ),
    Mutant(
        name="forgets_the_journal",
        says="what Redis has lost is not told again",
        edits=(("relay/intake/remember.py", "        for entry in reading.entries:\n", "        for entry in ():\n"),),
        faults=_does("redis", "flushall", 6.0),
        seen=frozenset({"C1"}),
    ),
    Mutant(
        name="never_looks_at_the_clock",
        says="nothing expires while it is being sent",
        edits=(
            (_SENDER, "return self._ms() >= facts.expires_ms", "return False"),
            (_SENDER, "chunk.flags & STOPPED", "0"),
            (_RECORDER, "reply.flags & STOPPED", "False"),
            ("relay/fanout/leases.py", "flag & STOPPED", "False"),
            (_CLAIM, "cursor.expires <= now", "false"),
            (
                "relay/fanout/reconcile.py",
                "if leg.cursor.stopped or now >= leg.cursor.expires:",
                "if leg.cursor.stopped:",
            ),
        ),
        seen=frozenset({"C7"}),
    ),
    Mutant(
        name="looks_at_the_clock_once",
        says="a chunk that was claimed in time is sent however long that takes",
        edits=(
            (_SENDER, "return self._ms() >= facts.expires_ms", "return False"),
            (_RECORDER, "reply.flags & STOPPED", "False"),
            ("relay/fanout/leases.py", "flag & STOPPED", "False"),
        ),
        faults=_does("redis", "pause", 6.7, hold=4.0),
        seen=frozenset({"C7"}),
    ),
    Mutant(
        name="deaf_to_cancels",
        says="senders do not hear that their alert was cancelled or replaced",
        edits=(
            (_SENDER, "chunk.flags & STOPPED", "0"),
            (_RECORDER, "reply.flags & STOPPED", "False"),
            ("relay/fanout/leases.py", "flag & STOPPED", "False"),
            (_CLAIM, "if not cursor or stopped(cursor) or", "if not cursor or"),
        ),
        seed=21,
        seconds=20.0,
        bursts=2,
        faults=_does("sms", "throttle", 3.0, 7.0, 11.0, hold=2.0, pick=0.1),
        seen=frozenset({"C7", "C2", "C1", "T"}),
    ),
    Mutant(
        name="cancels_in_silence",
        says="nobody is told of a cancel",
        edits=(
            (
                "relay/fanout/told.py",
                "    if only is not None:\n        inside",
                "    mask[:] = False\n    if only is not None:\n        inside",
            ),
        ),
        seed=24,
        seen=frozenset({"C1"}),
    ),
    Mutant(
        name="labels_nothing",
        says="what may come twice is not labelled",
        edits=((_RETRY, "repeated = again or record.flags & Flag.IN_DOUBT", "repeated = False"),),
        faults=(*_KILLS, *_does("webhook", "hang", 4.0, 8.0, hold=1.0)),
        seen=frozenset({"C4"}),
    ),
    Mutant(
        name="settles_before_it_sends",
        says="delivered is written down before the hand-over",
        edits=(
            (
                _SENDER,
                "        flights = self._field.start(parts, tasks)\n",
                "        early = [{p: replace(r, state=State.DELIVERED, ended=1) for p, r in part.begun.items()} for part in"
                " parts]\n"
                "        words = [Words(part.job, [Settling(e)]) for part, e in zip(parts, early, strict=True)]\n"
                "        await self._p.recorder.settle(*words)\n"
                "        flights = self._field.start(parts, tasks)\n",
            ),
        ),
        faults=(*_does("webhook", "refuse", 4.0, hold=2.0), *_does("sms", "refuse", 7.0, hold=2.0)),
        seen=frozenset({"C2"}),
    ),
    Mutant(
        name="believes_silence",
        says="a hand-over without an answer counts as delivered",
        edits=((_RETRY, "    Verdict.UNKNOWN: _unknown,", "    Verdict.UNKNOWN: _delivered,"),),
        faults=(
            *_does("webhook", "link-reset", 3.0, 6.0, hold=1.5, pick=0.1),
            *_does("email", "link-blackhole", 4.0, 8.0, hold=2.5),
        ),
        seen=frozenset({"C2"}),
    ),
    Mutant(
        name="forgets_retries",
        says="what is to be tried again is not queued again",
        edits=(
            (_SETTLE, "if ARGV[6] ~= '0' and not stopped(cursor) then", "if false then"),
            _NO_RECONCILE,
        ),
        faults=(*_does("webhook", "fails", 3.0, hold=2.0, pick=0.1), *_does("email", "refuse", 6.0, hold=2.0)),
        seen=frozenset({"T"}),
    ),
    Mutant(
        name="loses_chunks",
        says="a chunk is taken without a lease, so nobody takes it over",
        edits=(
            (_CLAIM, "redis.call('ZADD', KEYS[11 + class], now + length, member)", "length = length"),
            _NO_RECONCILE,
        ),
        faults=_KILLS,
        seen=frozenset({"T", "C1"}),
    ),
    Mutant(
        name="upside_down",
        says="the least urgent goes first",
        edits=(
            (_CLAIM, "local flash = serve(1)\nif flash then return flash end\n", ""),
            (_CLAIM, "local order = {2, 3, 4, 5, 6}", "local order = {6, 5, 4, 3, 2, 1}"),
            # The rate of a channel is kept for the worst news as well: either alone would hide the other.
            (
                "relay/store/lua/rate.lua",
                "local waits = keeper > 0 and class > keeper",
                "local waits = keeper > 0 and class < keeper",
            ),
        ),
        bursts=2,
        seconds=16.0,
        seen=frozenset({"C8"}),
    ),
    Mutant(
        name="widens",
        says="an alert without a usable area goes to everybody",
        edits=(
            ("relay/intake/verdict.py", "_addressed(alert) or _area(alert)", "_addressed(alert)"),
            (
                "relay/directory/targeting.py",
                "    if not (shape.pieces or shape.discs):\n        return mask\n",
                "    if not (shape.pieces or shape.discs):\n        return mask if shape.geocodes else able\n",
            ),
        ),
        seed=18,
        seen=frozenset({"C3"}),
    ),
    Mutant(
        name="ignores_wishes",
        says="people are told of what is not severe enough for them",
        edits=(("relay/directory/targeting.py", "(columns.severity <= key[1])", "(columns.severity >= 0)"),),
        seen=frozenset({"C3"}),
    ),
    Mutant(
        name="drills_are_real",
        says="an exercise goes through channels that take none",
        edits=(("relay/fanout/routes.py", "(self._drill if drill else self._live)", "self._live"),),
        seconds=20.0,
        seed=9,
        seen=frozenset({"C3"}),
    ),
    Mutant(
        name="wrong_words",
        says="everybody reads the first info",
        edits=(
            (
                "relay/directory/targeting.py",
                "    return order[found if found is not None else 0]",
                "    return min(matched)",
            ),
        ),
        seen=frozenset({"C3"}),
    ),
    Mutant(
        name="knows_no_duplicates",
        says="the same message is another alert each time",
        edits=(
            ("relay/intake/memory.py", "    if k0_id is not None:\n", "    if False:\n"),
            ("relay/intake/memory.py", "    if known_k2 is not None:\n", "    if False:\n"),
        ),
        seen=frozenset({"C6"}),
    ),
    Mutant(
        name="swallows_conflicts",
        says="another content under the same name is called a duplicate",
        edits=(
            (
                "relay/intake/memory.py",
                "Kind.SAME if identity.k2.endswith(known_k2) else Kind.CONFLICT",
                "Kind.SAME",
            ),
        ),
        seed=8,
        seen=frozenset({"C6"}),
    ),
    Mutant(
        name="miscounts",
        says="counters do not follow the records",
        edits=(
            (
                _SETTLE,
                "redis.call('HINCRBY', KEYS[2], 'n' .. state, by)",
                "redis.call('HINCRBY', KEYS[2], 'n' .. state, 1)",
            ),
        ),
        seen=frozenset({"C10", "T"}),
    ),
    Mutant(
        name="gives_up_at_once",
        says="what a provider refuses for the moment is failed for good",
        edits=(
            (_RETRY, "    Verdict.RETRY: _retry,", "    Verdict.RETRY: _rejected,"),
            (
                _RETRY,
                "    if outcome.scope in (Scope.PROVIDER, Scope.CONFIG):\n        return _retry",
                "    if False:\n        return _retry",
            ),
        ),
        faults=_does("webhook", "fails", 3.0, 7.0, hold=2.0, pick=0.1),
        seen=frozenset({"C1"}),
    ),
    Mutant(
        name="repeats_nothing",
        says="workers do not tell Redis again what it has just lost",
        edits=(("relay/fanout/replay.py", "horizon = self._clock.monotonic() - REMEMBER", 'horizon = float("inf")'),),
        faults=_does("redis", "flushall", 8.0),
        seen=frozenset({"C4b"}),
    ),
)
