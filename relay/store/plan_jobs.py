"""Plan jobs: which alert is planned next, the most urgent first, by one planner at a time."""

from __future__ import annotations

import time
from typing import NamedTuple

from relay.adapter import Class
from relay.errors import StoreUnavailable
from relay.store.connection import Connection
from relay.store.keys import CLASSES, Partition
from relay.store.lookout import AWAY, Lookout
from relay.store.partitions import Keys, home_of

PLAN_LANE = "plan"
#: The classes that count as urgent are the first so many: P0 and P1.
URGENT = 2


def plan_score(klass: Class, received_ms: int) -> int:
    """Return the score of a plan job: strict classes, then oldest first."""
    return CLASSES.index(klass) * 2**42 + received_ms


class Taken(NamedTuple):
    """Plan jobs that were leased, the most urgent first; or none, and the milliseconds until something may be due.

    ``takes`` is how many planners took the first of them before and neither finished it nor put it off (up to 7).
    """

    alert_ids: list[str]
    wait: int
    takes: int = 0


class PlanJobs:
    """The alerts that wait to be planned."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._redis = connection
        self.keys = keys
        self._lookout = Lookout(len(keys.all))

    async def take_plans(self, *, lease_ms: int, urgent: bool = False, most: int = 1) -> Taken:
        """Lease the most urgent plan job; when it is neither P0 nor P1, up to ``most`` at once, in order.

        ``urgent``: only P0 and P1.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if isinstance(self.keys, Partition):
            return (await self._take(self.keys, lease_ms, tell=False, urgent=urgent, most=most))[0]
        now = time.monotonic()
        look = self._lookout.next(now, lowest=URGENT if urgent else len(CLASSES))
        if look is None:
            return Taken([], int(self._lookout.rest(now) * 1000))
        try:
            keys = self.keys.all[look.place]
            taken, waiting = await self._take(keys, lease_ms, tell=True, urgent=urgent, most=most)
        except StoreUnavailable:
            self._lookout.found(look.place, waiting=0, look_at=now + AWAY)
            return Taken([], 0)
        # A lease that runs out is looked for at its time, however much is taken meanwhile.
        look_at = now + (taken.wait or lease_ms) / 1000
        if taken.alert_ids or not urgent:
            self._lookout.found(look.place, waiting=waiting, look_at=look_at)
        else:
            self._lookout.nothing(look.place, lowest=URGENT, look_at=look_at)
        for alert_id in taken.alert_ids:
            self.keys.settled(alert_id, keys)
        return taken._replace(wait=0)

    def plans_in(self, place: int) -> None:
        """Look for jobs in a partition at the next occasion: its bell rang."""
        self._lookout.rang(place)

    async def _take(self, keys: Partition, lease_ms: int, *, tell: bool, urgent: bool, most: int) -> tuple[Taken, int]:
        names, args = [keys.plan, keys.plan_leases], [lease_ms, int(tell), int(urgent), most]
        wait, waiting, takes, *found = await self._redis.run("plan_take", names, args)
        return Taken([alert_id.decode() for alert_id in found], int(wait), int(takes)), int(waiting)

    def partition(self, alert_id: str) -> int:
        """Return the number of the partition of an alert whose plan was taken here."""
        return (self.keys.home(alert_id) or self.keys.first).number

    async def doubted(self, alert_id: str) -> bool:
        """Whether another server may have planned an alert a moment ago, and this one never heard of it."""
        keys = await home_of(self._redis, self.keys, alert_id)
        return bool(await self._redis.run("doubted", [keys.run, keys.alerts], [alert_id]))

    async def hold(self, alert_id: str, *, reason: str) -> None:
        """Turn an accepted alert into a held one (the plan found that it needs a person's word)."""
        keys = await home_of(self._redis, self.keys, alert_id)
        await self._redis.run("hold", [keys.alert(alert_id), keys.plan_leases], [alert_id, reason])

    async def plan_again(self, alert_id: str, *, ended_by: str, score: int) -> str:
        """Plan an alert after all that an Update (``ended_by``) had ended before its plan; returns its state then."""
        keys = await home_of(self._redis, self.keys, alert_id)
        names = [keys.alert(alert_id), keys.plan, keys.bell(PLAN_LANE)]
        return str((await self._redis.run("plan_again", names, [alert_id, ended_by, score])).decode())

    async def drop_plan(self, alert_id: str) -> None:
        """Forget a plan job that has nothing to do."""
        keys = await home_of(self._redis, self.keys, alert_id)
        await self._redis.call("ZREM", keys.plan_leases, alert_id)

    async def put_off_plan(self, alert_id: str, *, until_ms: int) -> None:
        """Look at a plan job again at ``until_ms``."""
        keys = await home_of(self._redis, self.keys, alert_id)
        await self._redis.call("ZADD", keys.plan_leases, until_ms, alert_id)
        self._lookout.rang(keys.number)
