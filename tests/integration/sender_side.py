"""A sender with everything it needs: a real server, a directory, and a console in place of a provider."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import numpy as np

from relay.adapter import Adapter, Batch, Class, Descriptor, Kind, Outcome
from relay.cap.limits import Limits
from relay.directory.egress import Guard
from relay.fanout.channels import Channels
from relay.fanout.contents import Contents
from relay.fanout.ids import leg_id
from relay.fanout.items import Links
from relay.fanout.precedence import Precedence
from relay.fanout.prepare import Preparer
from relay.fanout.rate import Rates
from relay.fanout.recorder import Recorder
from relay.fanout.replay import Replay
from relay.fanout.retry import RetryPolicy
from relay.fanout.segment import Segment
from relay.fanout.sender import Parts, Sender
from relay.fanout.settling import Work
from relay.settings import Channel
from relay.store.alerts import Alerts
from relay.store.chunk import Chunk
from relay.store.chunks import Chunks
from relay.store.connection import Connection
from relay.store.cursor import Cursor
from relay.store.directory import DirectoryStore
from relay.store.keys import Partition
from relay.store.legs import Leg, Legs, NewLeg, Publication
from relay.store.receipts import ReceiptStore
from relay.testing.clocks import FakeClock
from relay.tracking.receipts import Receipts
from relay.tracking.states import RECORD_BYTES, Record, State
from relay.tracking.writes import Writes
from tests.contract.engine_side import an_alert

ALERT_ID = "abcdefghijklmnopqrstuvwxyz"
LEG = leg_id(ALERT_ID, kind=Kind.SMS, round_number=0)

CAP = b"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a-1</identifier>
<sender>duty@meteo.example</sender><sent>2026-03-01T12:00:00+06:00</sent><status>Actual</status>
<msgType>Alert</msgType><scope>Public</scope><info><language>en</language><category>Met</category>
<event>Mudflow</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>
<headline>Mudflow in the valley</headline><instruction>Go uphill.</instruction>
<area><areaDesc>Almaty</areaDesc></area></info></alert>"""

Hook = Callable[[Batch], Awaitable[None]]


class Hooked:
    """An adapter that lets a test do something while a batch is being handed over, or answer in its place."""

    descriptor: ClassVar[Descriptor] = Descriptor(name="hooked", kind=Kind.SMS)  # the channel's own one counts

    def __init__(self, inner: Adapter) -> None:
        self.inner = inner
        self.batches: list[int] = []
        self.before: Hook | None = None
        self.answers: Sequence[Outcome] | None = None

    async def open(self) -> None:
        await self.inner.open()

    async def close(self, *, deadline: float) -> None:
        await self.inner.close(deadline=deadline)

    async def send(self, batch: Batch) -> Sequence[Outcome]:
        self.batches.append(len(batch))
        if self.before is not None:
            await self.before(batch)
        outcomes = await self.inner.send(batch)
        return [self.answers[i % len(self.answers)] for i in range(len(batch))] if self.answers else outcomes


class Node:
    """One worker's sending half."""

    def __init__(
        self,
        redis: Connection,
        folder: Path,
        *,
        channel: Channel | None,
        kind: Kind,
        idempotent: bool,
        others: Mapping[str, Channel] | None = None,
    ) -> None:
        keys = Partition()
        self.clock = FakeClock(datetime.now(UTC))
        self.redis = redis
        self.file = folder / "sent.ndjson"
        console = Channel(
            adapter="console",
            lanes=("live",),
            settings={"kind": kind, "path": str(self.file), "idempotent": idempotent, "verdict": "delivered"},
        )
        self.channels = Channels.configured(
            {"first": channel or console, **(others or {})},
            egress=Guard(),
            public_host="relay.example",
            clock=self.clock,
            timeout=5,
            base=folder,
        )
        self.adapters: dict[str, Hooked] = {}
        for index, opened in enumerate(self.channels, start=1):
            self.adapters[opened.name] = opened.adapter = Hooked(opened.adapter)
            opened.index = index
        self.adapter = self.adapters["first"]
        self.kind = kind
        self.alerts, self.legs, self.chunks = Alerts(redis, keys), Legs(redis, keys), Chunks(redis, keys)
        self.directory = DirectoryStore(redis)
        self.contents = Contents(self.alerts, self.legs, limits=Limits(), ack_url_length=60)
        links = Links(base_url="https://relay.example", secret=b"secret")
        self.preparer = Preparer(self.directory, self.contents, self.channels, Rates(redis, keys), links, self.clock)
        self.receipts = Receipts(ReceiptStore(redis, keys), Writes(self.legs, self.chunks), clock=self.clock)
        self.replay = Replay(self.chunks, self.legs, clock=self.clock)
        self.sender = Sender(
            Parts(
                legs=self.legs,
                contents=self.contents,
                preparer=self.preparer,
                recorder=Recorder(
                    chunks=self.chunks,
                    preparer=self.preparer,
                    receipts=self.receipts,
                    replay=self.replay,
                    clock=self.clock,
                    lease_ms=10_000,
                    flash_ms=5_000,
                ),
                replay=self.replay,
                policy=RetryPolicy(urgent=(2.0, 5.0), normal=(5.0, 30.0), jitter=0.0),
                precedence=Precedence(),
                clock=self.clock,
            )
        )
        self._token = 0

    async def people(self, count: int, *, first: int = 0) -> None:
        """Enter recipients ``first`` to ``first + count``, each with one number and one mailbox."""
        ids = [f"rescue-{n}" for n in range(first, first + count)]
        await self.directory.allocate(ids, epoch="directory")
        rows = {
            n: json.dumps(
                {
                    "id": f"rescue-{n}",
                    "name": f"Squad {n}",
                    "addresses": [
                        {"kind": "sms", "value": f"+7701{n:07d}"},
                        {"kind": "email", "value": f"squad{n}@rescue.example"},
                    ],
                }
            ).encode()
            for n in range(first, first + count)
        }
        await self.directory.write(rows)

    async def publish(
        self,
        ordinals: Sequence[int],
        *,
        klass: Class = Class.P1,
        mode: str = "live",
        expires_in: float = 600,
        flags: int = 0,
    ) -> None:
        """Accept the alert and publish its leg for these recipients."""
        now = int(self.clock.time() * 1000)
        fields = {"media": "xml", "mode": mode, "sha256": hashlib.sha256(CAP).hexdigest()}
        await self.alerts.accept(an_alert(ALERT_ID, raw=CAP, klass=klass, fields=fields))
        slot = 0 if self.kind is Kind.SMS else 1
        count = len(ordinals)
        segment = Segment(np.array(ordinals, np.uint32), np.full(count, slot, np.uint8), np.zeros(count, np.uint16), 0)
        await self.legs.write_segments(LEG, [segment.pack()])
        leg = NewLeg(
            leg_id=LEG,
            lane=self.kind,
            cursor=Cursor(klass=klass, flags=flags, expires=now + expires_in * 1000, start=now, sizes=(count,)),
            fields={"alert": ALERT_ID, "kind": self.kind, "variants_of": ALERT_ID},
        )
        await self.legs.publish(ALERT_ID, Publication(legs=[leg], recipients=count), now_ms=now)

    async def claim(self, most: int = 500) -> Chunk:
        """Claim a chunk; there must be one."""
        self._token += 1
        claimed = await self.chunks.claim(
            self.kind,
            token=f"token-{self._token}",
            most=most,
            lease_ms=10_000,
            flash_ms=5_000,
            fence_ms=0,
            urgent=False,
        )
        assert isinstance(claimed.found, Chunk), claimed
        return claimed.found

    async def send(self, most: int = 500, *, reread: bool = False) -> Work:
        """Claim a chunk and send it."""
        work = Work(await self.claim(most), reread=reread)
        await self.sender.send(work)
        return work

    async def again(self) -> Work:
        """Let what is leased or put off be due now, and send it."""
        for name in ("leases", "retries"):
            for klass in Class:
                key = getattr(self.legs.keys, name)(self.kind, klass)
                for member in await self.redis.call("ZRANGE", key, 0, -1):
                    await self.redis.call("ZADD", key, 1, member)
        return await self.send()

    async def leg(self) -> Leg:
        """Return the leg."""
        found = await self.legs.get(LEG)
        assert found is not None
        return found

    async def counts(self) -> dict[str, int]:
        """Return the counts that are not zero, by word."""
        return {state.word: n for state, n in (await self.leg()).counts.items() if n}

    async def records(self, count: int) -> list[Record]:
        """Return the first records."""
        data = await self.legs.records(LEG, 0, first=0, last=count)
        return [Record.unpack(data[i : i + RECORD_BYTES]) for i in range(0, len(data), RECORD_BYTES)]

    async def states(self, count: int) -> list[State]:
        """Return the first states."""
        return [record.state for record in await self.records(count)]

    async def covered(self) -> tuple[int, int]:
        """Return how many chunks are leased, and how many wait to be tried again."""
        leased, retrying = await self.legs.covered(await self.leg())
        return len(leased), len(retrying)

    async def stop(self, state: str = "cancelled") -> None:
        """Stop the alert."""
        alert = await self.alerts.get(ALERT_ID)
        assert alert is not None
        await self.alerts.stop(alert, state=state, cause="another")

    def sent(self) -> list[str]:
        """Return the addresses in the order in which the provider heard of them."""
        if not self.file.exists():
            return []
        return [json.loads(line)["recipient"] for line in self.file.read_text().splitlines()]

    def pass_time(self, seconds: float) -> None:
        """Move the clock."""
        self.clock.advance(seconds)


def numbers(positions: Sequence[int]) -> list[str]:
    """Return the numbers of recipients."""
    return [f"+7701{n:07d}" for n in positions]


NodeOf = Callable[..., Node]


@asynccontextmanager
async def ready(node: Node, people: int, **leg: object) -> AsyncIterator[Node]:
    """Open the channels, enter the people and publish the leg."""
    await node.channels.open()
    await node.people(people)
    await node.publish(range(people), **leg)  # type: ignore[arg-type]
    yield node
