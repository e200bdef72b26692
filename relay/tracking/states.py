"""Delivery states and the one merge table (design §5).

A record never goes backwards: whoever writes, in whatever order and however often, the same truth results.
``relay/store/lua/merge.lua`` mirrors :func:`merge`; a contract test compares the two on random records.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag


class State(IntEnum):
    """What is known of one delivery; the number is its strength in the merge table.

    From 8 on a state is terminal.  Numbers are stored in records and must never change their meaning.
    """

    QUEUED = 0
    SENDING = 1
    RETRYING = 2
    ACCEPTED = 3
    SUPPRESSED = 8
    SIMULATED = 9
    CANCELLED = 10
    EXPIRED = 11
    DEAD_LETTER = 12
    POSSIBLY_SENT = 13
    DELIVERED_UNCONFIRMED = 14
    FAILED = 15
    DELIVERED = 16
    ACKNOWLEDGED = 17

    @property
    def terminal(self) -> bool:
        """Whether nothing will happen to the delivery by itself any more."""
        return self >= TERMINAL

    @property
    def word(self) -> str:
        """The state as the API writes it."""
        return self.name.lower()


TERMINAL = 8

#: The five words for people (design §18); what is left is "not sent, because …".
FIVE_WORDS: Mapping[State, str] = {
    State.ACKNOWLEDGED: "acknowledged",
    State.DELIVERED: "received",
    State.QUEUED: "on the way",
    State.SENDING: "on the way",
    State.RETRYING: "on the way",
    State.ACCEPTED: "on the way",
    State.DELIVERED_UNCONFIRMED: "unknown",
    State.POSSIBLY_SENT: "unknown",
    State.FAILED: "not reached",
    State.DEAD_LETTER: "not reached",
    State.EXPIRED: "not reached",
    State.CANCELLED: "not sent",
    State.SUPPRESSED: "not sent",
    State.SIMULATED: "not sent",
}

#: States in which the recipient was told, or may have been: the audience of a cancel.
TOLD = frozenset(
    {
        State.SENDING,
        State.ACCEPTED,
        State.POSSIBLY_SENT,
        State.DELIVERED_UNCONFIRMED,
        State.DELIVERED,
        State.ACKNOWLEDGED,
    }
)


class Flag(IntFlag):
    """What else is true of a record; flags only ever gather."""

    POSSIBLE_DUPLICATE = 1
    IN_DOUBT = 2  # some hand-over ended without an answer
    LATE_ANSWER = 4


NO_FLAGS = Flag(0)

#: 24 bytes, little-endian: state, attempt, send number, channel, reason, flags, answer, route; then three times in
#: hundredths of a second since the leg was made (accepted; terminal; due while retrying, else acknowledged) and the
#: first 32 bits of the hash of the provider's id.
RECORD = struct.Struct("<8B4I")
RECORD_BYTES = RECORD.size
EMPTY = bytes(RECORD_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What Redis keeps of one delivery.

    ``send`` rises with every hand-over; ``attempt`` only when the recipient is charged.  ``channel`` and ``reason``
    are indices (0: none).  ``route``: which of the channels that fit it is the next one to try, from 0; those before
    it failed.  Times are hundredths of a second since the leg was made, 0: not yet.
    """

    state: State = State.QUEUED
    attempt: int = 0
    send: int = 0
    channel: int = 0
    reason: int = 0
    flags: Flag = NO_FLAGS
    answer: int = 0
    route: int = 0
    accepted: int = 0
    ended: int = 0
    due: int = 0
    provider: int = 0

    def pack(self) -> bytes:
        """Return the 24 bytes."""
        return RECORD.pack(
            self.state,
            min(self.attempt, 255),
            min(self.send, 255),
            self.channel,
            self.reason,
            self.flags,
            self.answer,
            self.route,
            self.accepted,
            self.ended,
            self.due,
            self.provider,
        )

    def of_provider(self, provider: int) -> Record:
        """Return a copy with the hash of a provider's id; ``dataclasses.replace`` takes several times as long."""
        return Record(
            state=self.state,
            attempt=self.attempt,
            send=self.send,
            channel=self.channel,
            reason=self.reason,
            flags=self.flags,
            answer=self.answer,
            route=self.route,
            accepted=self.accepted,
            ended=self.ended,
            due=self.due,
            provider=provider,
        )

    @classmethod
    def unpack(cls, data: bytes) -> Record:
        """Read 24 bytes.

        Raises:
            struct.error: wrong length.
            ValueError: an unknown state.
        """
        state, attempt, send, channel, reason, flags, answer, route, *rest = RECORD.unpack(data)
        accepted, ended, due, provider = rest
        return cls(
            state=State(state),
            attempt=attempt,
            send=send,
            channel=channel,
            reason=reason,
            flags=Flag(flags),
            answer=answer,
            route=route,
            accepted=accepted,
            ended=ended,
            due=due,
            provider=provider,
        )


_NOTHING = Record()


def beats(new: Record, old: Record) -> bool:
    """Whether ``new`` is the stronger truth: terminal strength, then the send number, then the state's order."""
    return _rank(new) > _rank(old)


def _rank(record: Record) -> tuple[int, int, int]:
    strength = record.state if record.state.terminal else 0
    return (strength, record.send, record.state)


def merge(old: Record, new: Record) -> Record:
    """Return what is true once both are known; commutative in state, and applying twice changes nothing.

    Flags gather and the first known time of each kind stays.  Of two equal ranks the old one keeps its state, but
    a later answer of the responder replaces an earlier one.  Who only knows the end of it (a receipt, an answer) names
    no channel: the one that was known stays.
    """
    if old == _NOTHING:
        return new
    winner, other = (new, old) if beats(new, old) else (old, new)
    answered = new if new.state is State.ACKNOWLEDGED else winner
    return replace(
        winner,
        channel=winner.channel or other.channel,
        flags=old.flags | new.flags,
        answer=answered.answer or old.answer,
        accepted=min(filter(None, (old.accepted, new.accepted)), default=0),
        ended=winner.ended or other.ended,
        provider=winner.provider or other.provider,
        send=max(old.send, new.send),
        attempt=max(old.attempt, new.attempt),
    )


def effective(state: State, closed: State | None) -> State:
    """Return the state that a reader sees in a leg closed as ``closed``: no write per recipient."""
    if closed is not None and state in (State.QUEUED, State.RETRYING):
        return closed
    return state
