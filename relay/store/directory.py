"""The directory in Redis: recipients by ordinal, opt-outs as a bitmap, changes as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from relay.errors import StoreUnavailable
from relay.store import denials
from relay.store.changes import Changes, reaches_from, read_changes
from relay.store.connection import Connection, KeepsNothing, UnknownCommand
from relay.store.keys import (
    DIR_BUCKET,
    DIR_CHANGES,
    DIR_DENY,
    DIR_EPOCH,
    DIR_IDS,
    DIR_NEXT,
    DIR_RUN,
    DIR_SYNCED,
    dir_recipients,
)
from relay.store.route import Command

#: How many changes the stream keeps; an index that is further behind loads everything again.
CHANGES_KEPT = 100_000

ALL_SLOTS = 255

#: How long a server that took over waits for a node that compares its directory, in milliseconds.
_PATIENCE_MS = 15_000


@dataclass(frozen=True, slots=True)
class Allocated:
    """The ordinal of an id, and whether it was given just now."""

    ordinal: int
    created: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """A row to put back; an empty id is a recipient who was taken out."""

    recipient_id: str
    text: bytes
    denied: int


@dataclass(frozen=True, slots=True)
class News:
    """The directory's name, whether the stream ``reaches`` back to the position asked for, and the first changes."""

    epoch: str
    reaches: bool
    changes: Changes | None


@dataclass(frozen=True, slots=True)
class Name:
    """The directory's name, empty for none; ``compared``: it was compared with a copy since this server took over."""

    epoch: str
    compared: bool


class DirectoryStore:
    """Recipients as JSON text; what the text means is the directory's business."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    async def allocate(self, ids: Sequence[str], *, epoch: str) -> list[Allocated]:
        """Return the ordinal of each id, giving new ones.

        ``epoch`` names the directory if it has no name yet; empty when one was known here, so that nobody gets an
        ordinal of a directory that was lost and is not restored yet.

        Raises:
            StoreUnavailable: Redis is away, or the directory is being restored.
        """
        reply = await self._redis.run("ordinals", [DIR_IDS, DIR_NEXT, DIR_EPOCH, DIR_RUN], [epoch, *ids])
        if ids and not reply:
            raise StoreUnavailable("the directory is being restored")
        return [Allocated(n, created=False) if n >= 0 else Allocated(-1 - n, created=True) for n in map(int, reply)]

    async def write(self, recipients: Mapping[int, bytes], *, denied: Mapping[int, int] | None = None) -> None:
        """Store recipients by ordinal and tell the indexes; ``denied`` gives the opted-out slots (bitmask)."""
        if not recipients:
            return
        commands: list[tuple[str | bytes | int, ...]] = []
        by_bucket: dict[str, list[str | bytes | int]] = {}
        for ordinal, text in recipients.items():
            by_bucket.setdefault(dir_recipients(ordinal), []).extend((ordinal, text))
        commands += [("HSET", key, *pairs) for key, pairs in by_bucket.items()]
        commands += [("SETRANGE", DIR_DENY, ordinal, bytes([mask])) for ordinal, mask in (denied or {}).items()]
        commands.append(_changed(recipients))
        await self._redis.pipe(commands)

    async def restore(self, rows: Mapping[int, Restored]) -> None:
        """Put back recipients under the ordinals they had; :meth:`restored` makes the directory valid again."""
        highest = max(rows, default=-1)
        args: list[str | int] = [highest + 1]
        for ordinal, row in rows.items():
            args += [row.recipient_id, ordinal]
        await self._redis.run("restore_ordinals", [DIR_IDS, DIR_NEXT], args)
        denied = {ordinal: row.denied for ordinal, row in rows.items() if row.denied}
        await self.write({ordinal: row.text for ordinal, row in rows.items()}, denied=denied)

    async def restored(self, epoch: str, *, recipients: int, span: int) -> None:
        """Give the directory a name: all rows are back.

        Raises:
            StoreUnavailable: some were lost again meanwhile; restore once more.
        """
        keys = [DIR_IDS, DIR_NEXT, DIR_EPOCH]
        if not await self._redis.run("directory_restored", keys, [epoch, recipients, span]):
            raise StoreUnavailable("the directory was lost again while it was restored")

    async def fsync(self, *, seconds: float) -> bool:
        """Wait until everything written so far is on the server's disk; False when that was not seen, or is never so.

        ``WAITAOF`` (Redis 7.2, Valkey) on one connection after a write of its own; older servers switch to
        ``appendfsync always`` for one write.
        """
        try:
            reply = await self._redis.after_write(
                ("SET", DIR_SYNCED, "1"), ("WAITAOF", 1, 0, int(seconds * 1000)), timeout=seconds + 2
            )
            return int(reply[0]) >= 1
        except KeepsNothing:
            return False
        except UnknownCommand:
            if "yes" not in str(await self._redis.at(DIR_SYNCED, "CONFIG", "GET", "appendonly")):
                return False
            await self._redis.at(DIR_SYNCED, "CONFIG", "SET", "appendfsync", "always")
            await self._redis.call("SET", DIR_SYNCED, "1")
            await self._redis.at(DIR_SYNCED, "CONFIG", "SET", "appendfsync", "everysec")
            return True

    async def remove(self, recipient_id: str, tombstone: bytes) -> bool:
        """Take a recipient out: his ordinal stays taken, all his slots are denied; False when he is not known."""
        ordinal = await self.ordinal(recipient_id)
        if ordinal is None:
            return False
        await self._redis.pipe(
            [
                ("HDEL", DIR_IDS, recipient_id),
                ("SETRANGE", DIR_DENY, ordinal, bytes([ALL_SLOTS])),
                ("HSET", dir_recipients(ordinal), ordinal, tombstone),
                _changed([ordinal]),
            ]
        )
        return True

    async def opt_out(self, ordinal: int, slot: int) -> None:
        """Deny one address slot from now on."""
        # SETBIT counts from the highest bit of a byte; the masks of this room count from the lowest.
        await self._redis.pipe([("SETBIT", DIR_DENY, ordinal * 8 + 7 - slot, 1), _changed([ordinal])])

    async def ordinal(self, recipient_id: str) -> int | None:
        """Return a recipient's ordinal, or None."""
        found = await self._redis.call("HGET", DIR_IDS, recipient_id)
        return int(found) if found is not None else None

    async def get_many(self, ordinals: Sequence[int]) -> list[bytes | None]:
        """Return recipients as JSON, in order; None where there is none."""
        by_bucket = _buckets(ordinals)
        replies = await self._redis.pipe([("HMGET", key, *wanted) for key, wanted in by_bucket.items()])
        found: dict[int, bytes | None] = {}
        for wanted, values in zip(by_bucket.values(), replies, strict=True):
            found.update(zip(wanted, values, strict=True))
        return [found[ordinal] for ordinal in ordinals]

    async def denied(self, ordinals: Sequence[int]) -> list[int]:
        """Return the denied slots of each ordinal as a bitmask; ``ordinals`` ascend."""
        if not ordinals:
            return []
        asked = denials.question(ordinals)
        return denials.masks(asked, await self._redis.call(*asked), ordinals)

    async def look_up(self, ordinals: Sequence[int]) -> list[tuple[bytes | None, int]]:
        """Return recipients as JSON and their denied slots, in one round trip; ``ordinals`` ascend."""
        buckets = _buckets(ordinals)
        denied = denials.question(ordinals)
        asked: list[Command] = [("HMGET", key, *wanted) for key, wanted in buckets.items()]
        *rows, said = await self._redis.pipe([*asked, denied])
        found = [row for some in rows for row in some]
        return list(zip(found, denials.masks(denied, said, ordinals), strict=True))

    async def size(self) -> int:
        """Return how many recipients there are."""
        return int(await self._redis.call("HLEN", DIR_IDS))

    async def span(self) -> int:
        """Return the next ordinal: all given ones are below it."""
        return int(await self._redis.call("GET", DIR_NEXT) or 0)

    async def scan(self, *, first: int = 0, buckets: int = 16) -> AsyncIterator[list[tuple[int, bytes]]]:
        """Yield (ordinal, JSON) in ascending order, some buckets at a time, from ordinal ``first`` on."""
        span = await self.span()
        starts = range(first // DIR_BUCKET * DIR_BUCKET, span, DIR_BUCKET)
        for at in range(0, len(starts), buckets):
            replies = await self._redis.pipe([("HGETALL", dir_recipients(s)) for s in starts[at : at + buckets]])
            rows = [(int(ordinal), text) for reply in replies for ordinal, text in reply.items()]
            yield sorted(row for row in rows if row[0] >= first)

    async def epoch(self) -> str:
        """Return the directory's name; it changes when the directory was lost and rebuilt.

        Empty: there is none yet, or another server answers whose directory was not compared with the copies yet.
        """
        name = await self.name()
        return name.epoch if name.compared else ""

    async def name(self) -> Name:
        """Return the directory's name, and whether this server's directory can be believed."""
        return await self._name(compared=False)

    async def compared(self) -> None:
        """Declare that this server's directory has everything that the copy of this node has."""
        await self._name(compared=True)

    async def _name(self, *, compared: bool) -> Name:
        epoch, believed = await self._redis.run("directory_name", [DIR_EPOCH, DIR_RUN], [_PATIENCE_MS, int(compared)])
        return Name(epoch.decode(), bool(believed))

    async def before(self, position: str) -> str:
        """Return the position of the newest change up to ``position``: lower when the server forgot some."""
        newest = await self._redis.call("XREVRANGE", DIR_CHANGES, position or "0-0", "-", "COUNT", 1)
        return newest[0][0].decode() if newest else "0-0"

    async def position(self) -> str:
        """Return the position of the newest change."""
        newest = await self._redis.call("XREVRANGE", DIR_CHANGES, "+", "-", "COUNT", 1)
        return newest[0][0].decode() if newest else "0-0"

    async def reaches(self, position: str) -> bool:
        """Whether the stream still holds everything after ``position``."""
        return reaches_from(await self._redis.call("XRANGE", DIR_CHANGES, "-", "+", "COUNT", 1), position)

    async def changes(self, after: str, *, block_ms: int) -> Changes | None:
        """Wait up to ``block_ms`` for changes; None when there are none."""
        return read_changes(
            await self._redis.block(
                "XREAD", "COUNT", 200, "BLOCK", block_ms, "STREAMS", DIR_CHANGES, after, timeout=block_ms / 1000 + 2
            )
        )

    async def news(self, after: str) -> News:
        """Return what is new after the position ``after`` ("0-0": nothing was read yet), in one question."""
        epoch, oldest, reply = await self._redis.pipe(
            [
                ("GET", DIR_EPOCH),
                ("XRANGE", DIR_CHANGES, "-", "+", "COUNT", 1),
                ("XREAD", "COUNT", 200, "STREAMS", DIR_CHANGES, after),
            ]
        )
        return News((epoch or b"").decode(), reaches_from(oldest, after), read_changes(reply))


def _buckets(ordinals: Sequence[int]) -> dict[str, list[int]]:
    by_bucket: dict[str, list[int]] = {}
    for ordinal in ordinals:
        by_bucket.setdefault(dir_recipients(ordinal), []).append(ordinal)
    return by_bucket


def _changed(ordinals: Sequence[int] | Mapping[int, bytes]) -> tuple[str | int, ...]:
    text = ",".join(str(o) for o in ordinals)
    return ("XADD", DIR_CHANGES, "MAXLEN", "~", CHANGES_KEPT, "*", "o", text)
