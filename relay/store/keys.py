"""The names of all keys: one place, one version (``c1:``), one slot per partition (design §5, §9).

``{pN}`` holds alerts, legs and plan jobs of partition N; ``{dir}`` the directory; ``{ctl}`` switches, keys and workers.
"""

from __future__ import annotations

from dataclasses import dataclass

from relay.adapter import Class

CLASSES = tuple(Class)

DIR_BUCKET = 256
RECEIPT_BUCKETS = 1024


@dataclass(frozen=True, slots=True)
class Partition:
    """Keys that share the slot of one partition."""

    number: int = 0

    # Where there is one partition it has everything: the questions of relay/store/partitions.py answered at no cost.

    @property
    def all(self) -> tuple[Partition]:
        """Every partition."""
        return (self,)

    @property
    def first(self) -> Partition:
        """The partition of what the whole relay has once."""
        return self

    def of_sender(self, _sender: str) -> Partition:
        """Return the partition of all alerts of a sender."""
        return self

    def of_leg(self, _leg_id: str) -> Partition:
        """Return the partition of a leg."""
        return self

    def of_name(self, _name: str) -> Partition:
        """Return the partition of something that is found by its name alone."""
        return self

    def home(self, _alert_id: str) -> Partition:
        """Return the partition of an alert."""
        return self

    def settled(self, _alert_id: str, _partition: Partition) -> None:
        """There is nothing to remember."""

    def _key(self, name: str) -> str:
        return f"c1:{{p{self.number}}}:{name}"

    def alert(self, alert_id: str) -> str:
        """HASH: one alert, its original bytes and its state."""
        return self._key(f"a:{alert_id}")

    def k0(self, digest: str) -> str:
        """STRING: alert id of these raw bytes, as the first version wrote it; now in :meth:`triple`."""
        return self._key(f"k0:{digest}")

    def k1(self, digest: str) -> str:
        """SET: alert ids with this triple, as the first version wrote it; now in :meth:`triple`."""
        return self._key(f"k1:{digest}")

    def triple(self, digest: str) -> str:
        """STRING: the alerts with this triple and the digests of their bytes; see store/lua/triple.lua."""
        # 90 bits: with these the name takes a block of memory less.
        return self._key(f"t:{digest[:18]}")

    def referrers(self, digest: str) -> str:
        """SET: ``<msgType> <alert id>`` of alerts that refer to this triple, perhaps before it arrives."""
        return self._key(f"ref:{digest}")

    @property
    def alerts(self) -> str:
        """ZSET: alert ids by the millisecond they were received."""
        return self._key("alerts")

    @property
    def marks(self) -> str:
        """HASH: node → highest journal number applied here; it only detects loss."""
        return self._key("marks")

    @property
    def decisions(self) -> str:
        """HASH: alert id → approval or rejection that may have come before the alert."""
        return self._key("decisions")

    @property
    def plan(self) -> str:
        """ZSET: alert ids to plan; the score is class rank × 2^42 + millisecond."""
        return self._key("plan")

    @property
    def plan_leases(self) -> str:
        """ZSET: alert ids being planned, by the end of the lease."""
        return self._key("planning")

    @property
    def legs(self) -> str:
        """HASH: leg id → packed cursor."""
        return self._key("legs")

    def leg(self, leg_id: str) -> str:
        """HASH: the facts and counters of one leg."""
        return self._key(f"l:{leg_id}")

    def segment(self, leg_id: str, number: int) -> str:
        """STRING: packed ordinals, slots and variants."""
        return self._key(f"s:{leg_id}:{number}")

    def staged(self, leg_id: str, number: int, token: str) -> str:
        """STRING: a segment of a plan that is not published yet; goes by itself when it never is."""
        return self._key(f"s:{leg_id}:{number}:{token}")

    def records(self, leg_id: str, number: int) -> str:
        """STRING: 24 bytes for each position of the segment, made at full length on the first write."""
        return self._key(f"r:{leg_id}:{number}")

    def outcomes(self, leg_id: str, number: int) -> str:
        """STRING: the compact outcome log of the segment (provider ids, attempts)."""
        return self._key(f"o:{leg_id}:{number}")

    def outcomes_copy(self, leg_id: str, number: int) -> str:
        """STRING: the outcome log while a script rids it of room it does not need."""
        return self._key(f"o:{leg_id}:{number}:copy")

    def ready(self, lane: str, klass: Class) -> str:
        """ZSET: legs of a kind and class with unclaimed chunks; the score is the turn they were last served in."""
        return self._key(f"ready:{lane}:{klass}")

    def leases(self, lane: str, klass: Class) -> str:
        """ZSET: leased chunks by the end of the lease."""
        return self._key(f"lease:{lane}:{klass}")

    def retries(self, lane: str, klass: Class) -> str:
        """ZSET: chunks with deliveries to try again, by the earliest time."""
        return self._key(f"retry:{lane}:{klass}")

    @property
    def tokens(self) -> str:
        """HASH: leased chunk → fencing token."""
        return self._key("tokens")

    def turn(self, lane: str) -> str:
        """STRING: how many claims of a lane were made: each lane has its own floor share."""
        return self._key(f"turn:{lane}")

    @property
    def run(self) -> str:
        """HASH: the server run that this partition was last declared recovered for, and the fence."""
        return self._key("run")

    @property
    def checks(self) -> str:
        """ZSET: legs by the millisecond at which they are to be reconciled."""
        return self._key("checks")

    def archiving(self, alert_id: str) -> str:
        """STRING: which node writes this alert to its archive; goes by itself."""
        return self._key(f"archiving:{alert_id}")

    @property
    def wanted(self) -> str:
        """SET: archived alerts that another node needs back; goes by itself."""
        return self._key("wanted")

    @property
    def purge(self) -> str:
        """LIST: archived legs whose blobs are being removed: ``<leg> <segments>``."""
        return self._key("purge")

    @property
    def late(self) -> str:
        """LIST: receipts and replies whose leg was not here; for the node that archived it."""
        return self._key("late")

    def bell(self, lane: str) -> str:
        """LIST: wake-up tokens."""
        return self._key(f"bell:{lane}")

    def provider_ids(self, channel: str, bucket: int, day: int) -> str:
        """HASH: provider id → delivery id and part, as the first version wrote it; one for each day."""
        return self._key(f"pid:{channel}:{day}:{bucket}")

    def ids(self, channel: str, day: int, generation: int, bucket: int) -> str:
        """HASH: hash of a provider id → number of the leg, rank and part; see store/provider_ids.py."""
        return self._key(f"pid:{channel}:{day}:{generation}:{bucket}")

    def id_count(self, channel: str, day: int) -> str:
        """STRING: how many provider ids a day has."""
        return self._key(f"pid:{channel}:{day}:count")

    def id_legs(self, channel: str, day: int) -> str:
        """LIST: the legs of a day's provider ids; a leg's number is its place."""
        return self._key(f"pid:{channel}:{day}:legs")

    def whole_ids(self, channel: str, day: int) -> str:
        """HASH: provider id, whole, → as in :meth:`ids`; the few whose hash was taken."""
        return self._key(f"pid:{channel}:{day}:whole")

    def early_receipts(self, channel: str, hour: int) -> str:
        """HASH: provider id → receipt that came before its response was settled; one for each hour."""
        return self._key(f"early:{channel}:{hour}")

    def parts(self, delivery_id: str) -> str:
        """SET: parts of one delivery that arrived."""
        return self._key(f"parts:{delivery_id}")

    def open_alerts(self, address: str) -> str:
        """STRING: newest delivery id sent to an address (hashed), for replies."""
        return self._key(f"open:{address}")

    @property
    def previews(self) -> str:
        """LIST: dry-run requests for a worker."""
        return self._key("previews")

    def preview(self, request_id: str) -> str:
        """LIST: the answer to one dry run."""
        return self._key(f"preview:{request_id}")

    @property
    def channels(self) -> str:
        """HASH: channel name → its index in records."""
        return self._key("channels")

    def rate(self, channel: str) -> str:
        """STRING: when the next token of the channel is free (GCRA), in milliseconds."""
        return self._key(f"rate:{channel}")


# The directory.

DIR_IDS = "c1:{dir}:ids"  # HASH: recipient id → ordinal
DIR_NEXT = "c1:{dir}:next"  # STRING: the next ordinal, never reused
DIR_EPOCH = "c1:{dir}:epoch"  # STRING: changes when the directory was lost and rebuilt
DIR_DENY = "c1:{dir}:deny"  # STRING: bitmap, one byte per ordinal, one bit per address slot
DIR_CHANGES = "c1:{dir}:changes"  # STREAM: (ordinal, what) for the nodes' indexes
DIR_RUN = "c1:{dir}:run"  # HASH: the server run whose directory was compared with the nodes' copies
DIR_MARKS = "c1:{dir}:marks"  # HASH: what nodes call this memory, where partitions have memories of their own
DIR_SYNCED = "c1:{dir}:synced"  # STRING: written before waiting for the disk


def dir_recipients(ordinal: int) -> str:
    """HASH: ordinal → recipient as JSON; 256 ordinals a key, so that a chunk touches few keys."""
    return f"c1:{{dir}}:r:{ordinal // DIR_BUCKET}"


# Switches.

CTL_MARKS = "c1:{ctl}:marks"  # HASH: as DIR_MARKS
CTL_PARTITIONS = "c1:{ctl}:partitions"  # STRING: how many partitions the alerts are spread over
CTL_SWITCHES = "c1:{ctl}:switches"  # HASH: "stop" and "pause:<channel>" → since, by whom
CTL_KEYS = "c1:{ctl}:keys"  # HASH: key id → register entry
CTL_WORKERS = "c1:{ctl}:workers"  # HASH: worker id → heartbeat
CTL_DEPLOYMENT = "c1:{ctl}:deployment"  # HASH: what all machines must have in common (store/deployment.py)
CTL_REFUSED = "c1:{ctl}:refused"  # LIST: refused posts without their bodies, newest first
