"""The deployment: what a machine checks before it works beside others, and what it tells them."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog

from relay.clock import ServerClock
from relay.errors import ConfigError, StoreUnavailable
from relay.node import ack_secret, keep_ack_secret
from relay.process import first, pause
from relay.settings import Channel, Settings
from relay.store.deployment import DeploymentStore, Told

log = structlog.get_logger()

#: A clock that is off Redis TIME by more than this is not used (design §6).
SKEW = 2.0
_PERIOD = 5.0
_OTHER = (
    "the secret that signs acknowledgement links is not the one of this deployment: links in messages sent from here "
    "would not work. "
)


def fingerprint(secret: bytes) -> str:
    """Return a name of a secret that does not give it away."""
    return hmac.digest(secret, b"chapar ack secret", "sha256").hex()[:16]


def digests(channels: Mapping[str, Channel], secret: bytes) -> dict[str, tuple[str, str]]:
    """Return for each channel a digest of what decides who is reached, and one of the adapter's settings."""
    return {name: _digest(channel, secret) for name, channel in channels.items()}


def _digest(channel: Channel, secret: bytes) -> tuple[str, str]:
    fields: dict[str, Any] = channel.model_dump(mode="json")
    settings = fields.pop("settings")
    # Keyed, because settings hold passwords.
    who, how = (
        hmac.digest(secret, orjson.dumps(part, option=orjson.OPT_SORT_KEYS), "sha256").hex()[:16]
        for part in (fields, settings)
    )
    return who, how


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What differs between this machine and the deployment: ``refused`` forbids to work, ``warned`` does not."""

    refused: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()


def compare(told: Told, settings: Settings, secret: bytes) -> Verdict:
    """Decide whether a machine with ``settings`` and ``secret`` may work beside those that ``told`` is from."""
    if fingerprint(secret) != told.fingerprint:
        return Verdict(refused=(_OTHER + _remedy(settings, told),))
    refused = []
    mine = digests(settings.channels, secret)
    if odd := sorted(
        name for name in mine.keys() | told.channels.keys() if _who(mine, name) != _who(told.channels, name)
    ):
        refused.append(
            f"the channels {', '.join(odd)} are not configured as on the API node: people would be reached by other "
            "ways, or not at all. Copy the [channels] tables of its configuration, and start again."
        )
    if settings.public_url and told.public_url and settings.base_url != told.public_url.rstrip("/"):
        refused.append(
            f"public_url is {settings.public_url} here and {told.public_url} on the API node: links would lead astray. "
            "Write the same, or none here."
        )
    how = sorted(n for n in mine.keys() & told.channels.keys() if mine[n][1] != told.channels[n][1] and n not in odd)
    warned = [f"the settings of the adapter of {', '.join(how)} are not those of the API node"] if how else []
    return Verdict(refused=tuple(refused), warned=tuple(warned))


def _who(channels: Mapping[str, tuple[str, str]], name: str) -> str:
    return channels[name][0] if name in channels else ""


def _remedy(settings: Settings, told: Told) -> str:
    if settings.ack_secret_file:
        return f"Put the same {settings.ack_secret_file} on every machine."
    if told.secret:
        return f"Delete {settings.data_dir / 'ack.secret'}, and start again: it comes from Redis then."
    return "The API node keeps it in a file: name the same file in ack_secret_file here."


@dataclass(frozen=True, slots=True)
class Joined:
    """What a worker works with: ``settings`` with the deployment's address for links, and the secret of links."""

    settings: Settings
    secret: bytes


class Membership:
    """A worker's part in the deployment: joined once, watched as long as it works.

    ``trouble`` are sentences for the operator; ``clock`` follows the server's when the machine's own is wrong.
    """

    def __init__(self, store: DeploymentStore, settings: Settings, data_dir: Path, *, clock: ServerClock) -> None:
        self._store = store
        self._settings = settings
        self._data_dir = data_dir
        self._clock = clock
        self._differs: tuple[str, ...] = ()
        self._skew = 0.0
        self._secret = b""

    @property
    def trouble(self) -> list[str]:
        """What the operator should know of this machine now."""
        off = [
            f"this machine's clock is {self._skew:+.1f} s off Redis; the worker goes by Redis. Set it (chrony, ntpd)"
        ]
        return [*(off if self._clock.offset else []), *self._differs]

    async def join(self, stopping: asyncio.Event) -> Joined | None:
        """Wait for Redis and for the deployment's secret; None when ``stopping`` is set first.

        Raises:
            ConfigError: this machine must not work for this deployment; the sentence says what to change.
        """
        said = ""
        while not stopping.is_set():
            try:
                joined = await self._try()
            except StoreUnavailable:
                joined, why = None, "Redis does not answer"
            else:
                why = "no API node has told Redis what this deployment is; start one with the same redis.url"
            if joined is not None:
                return joined
            if why != said:
                said = why
                log.warning("worker_waits", reason=why)
            await pause(stopping, seconds=0.2)
        return None

    async def _try(self) -> Joined | None:
        await self._measure()
        told = await self._store.read()
        secret = ack_secret(self._data_dir, self._settings)
        if told is None or (secret is None and not told.secret):
            if told is not None:
                raise ConfigError("the API node keeps the secret of links in a file: name the same in ack_secret_file")
            return None
        if secret is None:
            secret = keep_ack_secret(self._data_dir, told.secret.encode())
        verdict = compare(told, self._settings, secret)
        if verdict.refused:
            raise ConfigError(f"this worker does not fit the deployment in Redis: {' '.join(verdict.refused)}")
        self._secret = secret
        self._hear(verdict)
        url = self._settings.public_url or told.public_url or told.base_url
        return Joined(self._settings.model_copy(update={"public_url": url}), secret)

    async def run(self, stopping: asyncio.Event) -> None:
        """Watch the clock and what the API nodes tell, until ``stopping``."""
        while not stopping.is_set():
            await pause(stopping, seconds=2 * _PERIOD)
            with contextlib.suppress(StoreUnavailable):
                await self.look()

    async def look(self) -> None:
        """Look once.

        Raises:
            StoreUnavailable: Redis is away.
        """
        await self._measure()
        told = await self._store.read()
        if told is not None:
            self._hear(compare(told, self._settings, self._secret))

    def _hear(self, verdict: Verdict) -> None:
        differs = (*verdict.refused, *verdict.warned)
        if differs != self._differs:
            self._differs = differs
            log.warning("deployment_differs", reasons=differs)

    async def _measure(self) -> None:
        machine = self._clock.time() - self._clock.offset
        before = self._clock.monotonic()
        there = await self._store.time()
        took = self._clock.monotonic() - before
        # The server read its clock somewhere in between: a slow answer is no wrong clock.
        low, high = machine - there, machine + took - there
        skew = low if low > 0 else min(high, 0.0)
        was, self._skew = self._clock.offset, skew
        self._clock.offset = -skew if abs(skew) > SKEW else 0.0
        if bool(was) != bool(self._clock.offset):
            log.warning("clock_off_redis", seconds=round(skew, 1), followed=bool(self._clock.offset))


class Announcer:
    """An API node's part: tells Redis what all machines must have in common, again after every loss."""

    def __init__(self, store: DeploymentStore, settings: Settings, secret: bytes) -> None:
        self._store = store
        self._secret = secret
        self._told = told_by(settings, secret)
        self._differs = False
        self._changed = asyncio.Event()

    def change(self, settings: Settings) -> None:
        """Tell this configuration from now on, and at once."""
        self._told = told_by(settings, self._secret)
        self._changed.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Tell until ``stopping``."""
        while not stopping.is_set():
            try:
                await self.once()
            except StoreUnavailable:
                await pause(stopping, seconds=0.3)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PERIOD):
                    await first(self._changed.wait(), stopping)

    async def once(self) -> None:
        """Look, and tell what is not there.

        Raises:
            StoreUnavailable: Redis is away.
        """
        self._changed.clear()
        mine, there = self._told, await self._store.read()
        if there is None or there.pack().items() - mine.pack().items() - {("fingerprint", there.fingerprint)}:
            there = await self._store.tell(mine)
        differs = there.fingerprint != mine.fingerprint
        if differs and not self._differs:
            log.error(
                "ack_secret_differs", reason=_OTHER + "Two relays share one Redis, or this node needs the other's."
            )
        self._differs = differs


def told_by(settings: Settings, secret: bytes) -> Told:
    """Return what a node with ``settings`` tells."""
    return Told(
        fingerprint=fingerprint(secret),
        secret="" if settings.ack_secret_file else secret.decode(),
        public_url=settings.public_url,
        base_url=settings.base_url,
        channels=digests(settings.channels, secret),
    )


async def adopt(store: DeploymentStore, settings: Settings, data_dir: Path) -> None:
    """Let a new API node take the secret that the deployment has already; without Redis it makes its own."""
    if ack_secret(data_dir, settings) is not None:
        return
    try:
        told = await store.read()
    except StoreUnavailable:
        return
    if told is not None and told.secret:
        keep_ack_secret(data_dir, told.secret.encode())
        log.info("ack_secret_adopted")
