"""Which partition has what: the same for the same sender, for ever."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from relay.adapter import Kind
from relay.errors import ConfigError, StoreUnavailable
from relay.fanout.ids import leg_id
from relay.store.connection import Connection
from relay.store.keys import Partition
from relay.store.partitions import Partitions, agree, configured, home_of


class Server:
    """Has one alert, in one partition, and counts the round trips."""

    kind = "cluster"

    def __init__(self, there: str = "", noted: int = 16, away: str = "") -> None:
        self.there = there
        self.away = away
        self.noted = noted
        self.trips = 0

    async def replies(self, commands: Sequence[tuple[str, str]]) -> list[int | Exception]:
        self.trips += 1
        return [TimeoutError() if key == self.away else int(key == self.there) for _, key in commands]

    async def call(self, name: str, *_: Any) -> int:
        return self.noted if name == "GET" else 0


def test_sender_keeps_its_partition() -> None:
    """Alerts of one sender share a slot; those of many senders are spread."""
    keys = Partitions(16)
    places = {keys.of_sender(f"desk-{n}@meteo.example").number for n in range(200)}

    assert keys.of_sender("desk@meteo.example") is keys.of_sender("desk@meteo.example")
    assert places == set(range(16))


def test_leg_names_its_partition() -> None:
    """The first character of a leg's id, and of the ids of its deliveries."""
    keys = Partitions(16)
    leg = leg_id("alert", kind=Kind.SMS, round_number=0, partition=11)

    assert keys.of_leg(leg).number == keys.of_leg(f"{leg}-4711").number == 11


async def test_alert_is_looked_for_once() -> None:
    """Its id does not name its partition: all are asked in one go, and the answer is remembered."""
    keys = Partitions(16)
    server = Server(keys.all[5].alert("a"))
    first = await home_of(cast("Connection", server), keys, "a")
    again = await home_of(cast("Connection", server), keys, "a")

    assert (first.number, again.number, server.trips) == (5, 5, 1)


async def test_unknown_alert_is_looked_for_each_time() -> None:
    """It may come."""
    keys, server = Partitions(4), Server()
    await home_of(cast("Connection", server), keys, "a")
    await home_of(cast("Connection", server), keys, "a")

    assert server.trips == 2
    assert keys.home("a") is None


async def test_alert_is_found_although_another_primary_is_away() -> None:
    """What is away matters only if the alert may be there."""
    keys = Partitions(4)
    found = await home_of(cast("Connection", Server(keys.all[3].alert("a"), away=keys.all[0].alert("a"))), keys, "a")

    assert found.number == 3
    with pytest.raises(StoreUnavailable):
        await home_of(cast("Connection", Server(away=keys.all[0].alert("b"))), keys, "b")


async def test_one_partition_asks_nobody() -> None:
    """On one server every question has the same answer, and costs nothing."""
    keys, server = Partition(), Server()

    assert await home_of(cast("Connection", server), keys, "a") is keys
    assert keys.of_sender("x") is keys.of_leg("y") is keys.of_name("z") is keys.first is keys.all[0] is keys
    assert server.trips == 0


def test_several_partitions_on_a_cluster_only() -> None:
    """Elsewhere the setting means nothing."""
    server = Server()
    many = configured(cast("Connection", server), 16)
    server.kind = "sentinel"
    one = configured(cast("Connection", server), 16)

    assert (len(many.all), len(one.all)) == (16, 1)


async def test_another_number_is_refused() -> None:
    """Alerts would not be found where they are: the sentence says what to set."""
    with pytest.raises(ConfigError, match=r"redis\.partitions is 8.*set it to 16"):
        await agree(cast("Connection", Server(noted=16)), Partitions(8))
    await agree(cast("Connection", Server(noted=16)), Partitions(16))
    await agree(cast("Connection", Server(noted=16)), Partition())
