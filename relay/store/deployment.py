"""What the machines of one deployment must have in common, kept in Redis by the API nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from relay.store.connection import Connection
from relay.store.keys import CTL_DEPLOYMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told: ``fingerprint`` names the secret of links, ``secret`` is it (empty: it is kept in files).

    ``channels`` are digests by channel name, each of two parts: what decides who is reached, and the rest.
    """

    fingerprint: str
    secret: str
    public_url: str
    base_url: str
    channels: Mapping[str, tuple[str, str]]

    def pack(self) -> dict[str, str]:
        """Return the fields as they are stored."""
        return {
            "fingerprint": self.fingerprint,
            "ack_secret": self.secret,
            "public_url": self.public_url,
            "base_url": self.base_url,
            "channels": orjson.dumps({name: list(both) for name, both in sorted(self.channels.items())}).decode(),
        }

    @classmethod
    def unpack(cls, fields: Mapping[str, str]) -> Told:
        """Read the stored fields."""
        channels = orjson.loads(fields.get("channels", "{}"))
        return cls(
            fingerprint=fields["fingerprint"],
            secret=fields.get("ack_secret", ""),
            public_url=fields.get("public_url", ""),
            base_url=fields.get("base_url", ""),
            channels={name: (str(who), str(how)) for name, (who, how) in channels.items()},
        )


class DeploymentStore:
    """One hash in the ``{ctl}`` slot.  Whoever may read Redis may read the secret of links: it is one trust domain."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    async def read(self) -> Told | None:
        """Return what was told last; None: nothing yet.

        Raises:
            StoreUnavailable: Redis is away.
        """
        found = await self._redis.call("HGETALL", CTL_DEPLOYMENT)
        fields = {name.decode(): value.decode() for name, value in found.items()}
        return Told.unpack(fields) if "fingerprint" in fields else None

    async def tell(self, told: Told) -> Told:
        """Store what this node says, but never another secret over the one that is there; returns what is stored now.

        Raises:
            StoreUnavailable: Redis is away.
        """
        fields = told.pack()
        fingerprint, secret = fields.pop("fingerprint"), fields.pop("ack_secret")
        if await self._redis.call("HSETNX", CTL_DEPLOYMENT, "fingerprint", fingerprint):
            fields["ack_secret"] = secret
        await self._redis.call("HSET", CTL_DEPLOYMENT, *(word for pair in fields.items() for word in pair))
        return await self.read() or told

    async def time(self) -> float:
        """Return the server's clock, in seconds since the epoch.

        Raises:
            StoreUnavailable: Redis is away.
        """
        seconds, micros = await self._redis.call("TIME")
        return int(seconds) + int(micros) / 1e6
