"""The route on a Cluster: every slot has one primary, and a redirection is the only thing that is followed by itself.

The library's own Cluster client is not used: it repeats by its own count, closes the connections of *all* nodes after a
few redirections or while one slot has no primary, raises instead of waiting when a pool is used up, and sends
``ASKING`` on another connection than the command.  What is left to do is little: our commands name one slot each.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import redis.exceptions
import structlog
from redis.asyncio import Redis
from redis.crc import key_slot

from relay.store.available import GONE
from relay.store.pools import Pools, to_address
from relay.store.route import Command, Work, key_of, piped
from relay.store.url import Address, StoreUrl

log = structlog.get_logger()

#: How many redirections of one command are followed; while a slot moves there are two.
_HOPS = 4
#: How long one node may take to tell the slots, and how long they are good after a failure, in seconds.
_PATIENCE = 0.5
_APART = 0.2

#: Where commands without a key go.
_ANYWHERE = "{ctl}"

_REDIRECTED = (redis.exceptions.MovedError, redis.exceptions.AskError)


@dataclass(frozen=True, slots=True)
class Slots:
    """Which primary has which slots: ``starts`` ascend, a slot belongs to the last one that is not above it."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    owners: tuple[Address, ...]

    @classmethod
    def of(cls, reply: Iterable[Sequence[Any]], asked: Address) -> Slots:
        """Read the reply to ``CLUSTER SLOTS`` of the node ``asked``, which may not know its own name."""
        rows = sorted((int(row[0]), int(row[1]), _address(row[2], asked)) for row in reply)
        return cls(tuple(r[0] for r in rows), tuple(r[1] for r in rows), tuple(r[2] for r in rows))

    def owner(self, slot: int) -> Address | None:
        """Return the primary of a slot, None while it has none."""
        at = bisect_right(self.starts, slot) - 1
        return self.owners[at] if at >= 0 and slot <= self.ends[at] else None


class ClusterRoute:
    """The primaries of a Cluster."""

    def __init__(self, url: StoreUrl, *, timeout: float, size: int) -> None:
        self._url = url
        self._timeout = timeout
        self._size = size
        self._nodes: dict[Address, Pools] = {}
        self._slots = Slots((), (), ())
        self._owners: dict[str, Address] = {}  # by hash tag: what was looked up, or learned from a redirection
        self._silent: set[Address] = set()
        self._learned_at = float("-inf")
        self._learning = asyncio.Lock()

    async def run(self, key: str, work: Work, *, blocking: bool = False) -> Any:  # noqa: ANN401 -- as in Route
        """Do ``work`` on the primary of ``key``, and where it says that the slot has gone.

        A redirected command was not carried out, so that following it repeats nothing.
        """
        address, asking = await self._owner(key), False
        for _ in range(_HOPS):
            pools = self._pools(address)
            client: Any = pools.blocking if blocking else pools.client
            client = _Asking(client) if asking else client
            try:
                reply = await work(client)
            except redis.exceptions.AskError as error:
                address, asking = _named(error, address), True
            except redis.exceptions.MovedError as error:
                address, asking = self._moved(key, error, address), False
            except GONE:
                self._silent.add(address)
                raise
            else:
                self._silent.discard(address)
                return reply
        raise redis.exceptions.ConnectionError("the slot is moving")

    async def pipe(self, commands: Sequence[Command], *, errors: bool = False) -> list[Any]:
        """Run commands in one round trip to each node that has keys of theirs, all nodes at once."""
        places: dict[Address, list[int]] = {}
        for place, command in enumerate(commands):
            places.setdefault(await self._owner(key_of(command)), []).append(place)
        replies: list[Any] = [None] * len(commands)

        async def one(address: Address, mine: Sequence[int]) -> None:
            try:
                found = await piped(self._pools(address).client, [commands[i] for i in mine], errors=True)
            except GONE as error:
                self._silent.add(address)
                found = [error] * len(mine)
            for place, reply in zip(mine, found, strict=True):
                replies[place] = reply

        if len(places) == 1:
            await one(*next(iter(places.items())))
        else:
            async with asyncio.TaskGroup() as tasks:
                for address, mine in places.items():
                    tasks.create_task(one(address, mine))
        replies = [await self._settled(command, reply) for command, reply in zip(commands, replies, strict=True)]
        if not errors and (failed := next((r for r in replies if isinstance(r, BaseException)), None)):
            raise failed
        return replies

    async def server(self, key: str) -> str:
        """Return the address of the primary that has the key's slot."""
        return str(await self._owner(key))

    async def look(self) -> None:
        """Read the slots again."""
        await self._learn()

    async def close(self) -> None:
        """Close the connections to all nodes."""
        for pools in self._nodes.values():
            await pools.close()

    async def _settled(self, command: Command, reply: object) -> object:
        if not isinstance(reply, _REDIRECTED):
            return reply
        try:
            return await self.run(key_of(command), lambda client: client.execute_command(*command))  # type: ignore[no-untyped-call]
        except redis.exceptions.RedisError as error:
            return error

    def _moved(self, key: str, error: redis.exceptions.MovedError, asked: Address) -> Address:
        address = _named(error, asked)
        self._owners[_tag(key)] = address
        self._learned_at = min(self._learned_at, asyncio.get_running_loop().time() - _APART)
        self._silent.add(asked)  # not silent, but its other slots may have gone too: look before the next one
        return address

    async def _owner(self, key: str) -> Address:
        tag = _tag(key)
        address = self._owners.get(tag)
        if address is None or address in self._silent:
            await self._learn()
            address = self._owners.get(tag) or self._slots.owner(key_slot(tag[1:-1].encode()))
            if address is None:
                raise redis.exceptions.ConnectionError("no node of the Cluster has this slot")
            self._owners[tag] = address
        return address

    def _pools(self, address: Address) -> Pools:
        pools = self._nodes.get(address)
        if pools is None:
            pools = self._nodes[address] = to_address(address, self._url, timeout=self._timeout, size=self._size)
        return pools

    async def _learn(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._learning:
            if loop.time() - self._learned_at < _APART:
                return
            for address in self._to_ask():
                slots = await self._slots_by(address)
                if slots is not None and slots.owners:
                    if slots.owners != self._slots.owners and self._slots.owners:
                        log.warning("cluster_changed", primaries=sorted({str(owner) for owner in slots.owners}))
                    self._slots, self._learned_at = slots, loop.time()
                    self._owners.clear()
                    return
            # Nobody answers: those who wait for their turn must not ask all of them again, one after the other.
            self._learned_at = loop.time()

    def _to_ask(self) -> list[Address]:
        """Return the nodes to ask for the slots, those that were silent last."""
        known = dict.fromkeys((*self._slots.owners, *self._url.hosts, *self._nodes))
        return sorted(known, key=lambda address: address in self._silent)

    async def _slots_by(self, address: Address) -> Slots | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                # Two words: under the name of one the library makes something else of the answer.
                client: Any = self._pools(address).client
                reply = await client.execute_command("CLUSTER", "SLOTS")
        except (*GONE, redis.exceptions.ResponseError) as error:
            log.debug("cluster_node_silent", node=str(address), error=type(error).__name__)
            return None
        return Slots.of(reply, address)


class _Asking:
    """A client that says ``ASKING`` before each command, on the same connection."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def execute_command(self, *command: str | bytes | int | float) -> Any:  # noqa: ANN401 -- replies differ by command
        """Run one command on a node that is taking its slot over."""
        _, reply = await piped(self._client, [("ASKING",), command], errors=True)
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def pipeline(self, *, transaction: bool) -> Any:  # noqa: ANN401 -- as the library's
        """Refuse: what belongs together cannot be split while its slot moves.

        Raises:
            redis.exceptions.TryAgainError: always; it is over soon.
        """
        raise redis.exceptions.TryAgainError("the slot is moving")


def _named(error: redis.exceptions.AskError, asked: Address) -> Address:
    return Address(error.host or asked.host, int(error.port))


def _address(row: Sequence[Any], asked: Address) -> Address:
    host = row[0].decode() if isinstance(row[0], bytes) else row[0]
    return Address(host if host and host != "?" else asked.host, int(row[1]))


def _tag(key: str) -> str:
    """Return the braces of a key and what is in them: that alone decides the slot."""
    return key[key.index("{") : key.index("}") + 1] if key else _ANYWHERE
