"""Partitions: which one has what.  There is one, except on a Cluster, where every script stays in one of several slots.

An alert lives in the partition of its sender, its legs with it; a leg's id names the partition, an alert's does not.
What belongs to no alert (rates, provider ids) is spread by name.  A :class:`Partition` answers the same questions
with itself, so that one server pays nothing for what it does not need.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict

from relay.errors import ConfigError
from relay.fanout.ids import partition_of, partition_of_leg
from relay.store.available import available
from relay.store.connection import Connection
from relay.store.keys import CTL_PARTITIONS, Partition

#: Leg ids name their partition in one character of base32.
MOST = 32

#: How many alerts' partitions are remembered.
_REMEMBERED = 50_000


class Partitions:
    """A fixed number of partitions, and where alerts were found."""

    def __init__(self, count: int) -> None:
        """``count`` is 1 to :data:`MOST`, and always the same for the same data."""
        self.all = tuple(Partition(number) for number in range(count))
        self._homes: OrderedDict[str, Partition] = OrderedDict()

    @property
    def first(self) -> Partition:
        """The partition of what the whole relay has once."""
        return self.all[0]

    def of_sender(self, sender: str) -> Partition:
        """Return the partition of all alerts of ``sender``."""
        return self.all[partition_of(sender, len(self.all))]

    def of_leg(self, leg_id: str) -> Partition:
        """Return the partition that a leg's id names."""
        return self.all[partition_of_leg(leg_id) % len(self.all)]

    def of_name(self, name: str) -> Partition:
        """Return the partition of something that is found by its name alone."""
        return self.all[zlib.crc32(name.encode()) % len(self.all)]

    def home(self, alert_id: str) -> Partition | None:
        """Return the partition of an alert, None when it is not known here."""
        return self._homes.get(alert_id)

    def settled(self, alert_id: str, partition: Partition) -> None:
        """Remember where an alert is: it never moves."""
        self._homes[alert_id] = partition
        if len(self._homes) > _REMEMBERED:
            self._homes.popitem(last=False)


#: What the stores are given: one partition, or several.
Keys = Partition | Partitions


async def home_of(redis: Connection, keys: Keys, alert_id: str) -> Partition:
    """Return the partition of an alert, asking all of them at once when it is not known; any if there is no such alert.

    Raises:
        StoreUnavailable: it may be where Redis is away now.
    """
    known = keys.home(alert_id)
    if known is not None:
        return known
    found = await redis.replies([("EXISTS", partition.alert(alert_id)) for partition in keys.all])
    for partition, there in zip(keys.all, found, strict=True):
        if there == 1:
            keys.settled(alert_id, partition)
            return partition
    for error in found:
        if isinstance(error, BaseException):
            async with available():
                raise error
    return keys.first


def configured(connection: Connection, count: int) -> Keys:
    """Return the partitions of a deployment: ``count`` on a Cluster, one elsewhere."""
    return Partitions(count) if connection.kind == "cluster" else Partition()


async def agree(connection: Connection, keys: Keys) -> None:
    """Note the number of partitions in Redis, where it is fixed from the first start on.

    Raises:
        ConfigError: the data was written with another number.
        StoreUnavailable: Redis is away.
    """
    if not isinstance(keys, Partitions):
        return
    mine = len(keys.all)
    await connection.call("SETNX", CTL_PARTITIONS, mine)
    noted = int(await connection.call("GET", CTL_PARTITIONS))
    if noted != mine:
        raise ConfigError(
            f"redis.partitions is {mine}, but the alerts in this Cluster are spread over {noted}: set it to {noted}. "
            "It cannot be changed while there are alerts; an empty Cluster takes any number."
        )
