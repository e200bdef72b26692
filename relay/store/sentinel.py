"""The route through Sentinels: whoever they call master, and nobody who is not (design §11)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import redis.exceptions
import structlog

from relay.store.available import GONE, not_now
from relay.store.pools import Pools, as_master, to_address
from relay.store.route import Command, Work, piped
from relay.store.url import Address, StoreUrl

log = structlog.get_logger()

#: How long one Sentinel may take to answer, and how long its answer is good after a failure, in seconds.
_PATIENCE = 0.5
_APART = 0.2


class SentinelRoute:
    """One master at a time.

    Each connection asks its server whether it is the master before anything else is said on it; a failure asks the
    Sentinels again.  An answer with an older epoch than one that was heard is that of a Sentinel which was cut off.
    """

    def __init__(self, url: StoreUrl, *, timeout: float, size: int) -> None:
        self._url = url
        self._timeout = timeout
        self._size = size
        asked = StoreUrl(kind="single", text="", tls=url.tls)
        self._sentinels = {host: to_address(host, asked, timeout=_PATIENCE, size=2) for host in url.hosts}
        self._order = list(url.hosts)
        self._master: tuple[Address, Pools] | None = None
        self._epoch = -1
        self._doubted = True
        self._heard_at = float("-inf")
        self._asking = asyncio.Lock()

    async def run(self, _key: str, work: Work, *, blocking: bool = False) -> Any:  # noqa: ANN401 -- as in Route
        """Do ``work`` on the master."""
        pools = await self._pools()
        try:
            return await work(pools.blocking if blocking else pools.client)
        except (*GONE, redis.exceptions.ResponseError) as error:
            if not isinstance(error, redis.exceptions.ResponseError) or not_now(error):
                self._doubted = True
            raise

    async def pipe(self, commands: Sequence[Command], *, errors: bool = False) -> list[Any]:
        """Run commands in one round trip."""
        found: list[Any] = await self.run("", lambda client: piped(client, commands, errors=errors))
        self._doubted |= any(isinstance(reply, BaseException) and not_now(reply) for reply in found)
        return found

    async def server(self, _key: str) -> str:
        """Only the master counts."""
        return ""

    async def look(self) -> None:
        """Ask who is master now: a switch is heard of although the old one still answers."""
        await self._ask()

    async def close(self) -> None:
        """Close everything."""
        for pools in (*self._sentinels.values(), *([self._master[1]] if self._master else [])):
            await pools.close()

    async def _pools(self) -> Pools:
        if self._doubted or self._master is None:
            await self._ask()
        if self._master is None:
            raise redis.exceptions.ConnectionError("no Sentinel knows the master")
        return self._master[1]

    async def _ask(self) -> None:
        loop = asyncio.get_running_loop()
        if self._asking.locked() and self._master is not None:
            # Somebody asks already; silent Sentinels must not hold up everybody while the master may be well.
            return
        async with self._asking:
            if loop.time() - self._heard_at < _APART:
                return
            for host in list(self._order):
                if await self._heard_from(host):
                    self._heard_at, self._doubted = loop.time(), False
                    return
                self._order.remove(host)
                self._order.append(host)
            self._heard_at = loop.time()

    async def _heard_from(self, host: Address) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                # While a failover is under way only the address is that of the new master already.
                ask = [("SENTINEL", word, self._url.master) for word in ("GET-MASTER-ADDR-BY-NAME", "MASTER")]
                where, row = await piped(self._sentinels[host].client, ask)
        except (*GONE, redis.exceptions.ResponseError) as error:
            log.debug("sentinel_silent", sentinel=str(host), error=type(error).__name__)
            return False
        epoch = int(_facts(row).get("config-epoch", 0))
        if epoch < self._epoch:
            return False
        self._epoch = epoch
        await self._go_to(Address(_text(where[0]), int(where[1])))
        return True

    async def _go_to(self, address: Address) -> None:
        if self._master is not None and self._master[0] == address:
            return
        old = self._master
        pools = to_address(address, self._url, timeout=self._timeout, size=self._size, greeting=as_master)
        self._master = (address, pools)
        if old is not None:
            log.warning("redis_master_switched", old=str(old[0]), new=str(address))
            # What is under way there ends with an error and is told again to the new one.
            await old[1].close()


def _facts(row: Any) -> dict[str, str]:  # noqa: ANN401 -- a mapping or a flat list, as the client parses it
    pairs = row.items() if isinstance(row, dict) else zip(row[::2], row[1::2], strict=True)
    return {_text(name): _text(value) for name, value in pairs}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
