"""Key names: one version, one slot per partition, nothing twice."""

import re

import pytest

from relay.adapter import Class
from relay.store import keys
from relay.store.keys import Partition, dir_recipients


def names(partition: Partition) -> list[str]:
    """Return a key of every sort."""
    return [
        partition.alert("a"),
        partition.k0("a"),
        partition.k1("a"),
        partition.referrers("a"),
        partition.alerts,
        partition.marks,
        partition.decisions,
        partition.plan,
        partition.plan_leases,
        partition.legs,
        partition.leg("a"),
        partition.segment("a", 1),
        partition.records("a", 1),
        partition.outcomes("a", 1),
        partition.outcomes_copy("a", 1),
        *(partition.ready("sms", c) for c in Class),
        *(partition.leases("sms", c) for c in Class),
        *(partition.retries("sms", c) for c in Class),
        partition.tokens,
        partition.turn("sms"),
        partition.run,
        partition.checks,
        partition.archiving("a"),
        partition.late,
        partition.purge,
        partition.wanted,
        partition.bell("sms"),
        partition.provider_ids("a", 1, 2),
        partition.ids("a", 1, 2, 3),
        partition.id_count("a", 1),
        partition.id_legs("a", 1),
        partition.whole_ids("a", 1),
        partition.early_receipts("a", 1),
        partition.parts("a"),
        partition.open_alerts("a"),
        partition.previews,
        partition.preview("a"),
        partition.channels,
        partition.rate("a"),
    ]


@pytest.mark.parametrize("number", [0, 31])
def test_partition_is_one_slot(number: int) -> None:
    """Every key carries the version and the partition's hash tag: scripts stay in one slot on a cluster."""
    assert all(re.match(rf"c1:\{{p{number}\}}:", name) for name in names(Partition(number)))


def test_no_name_is_used_twice() -> None:
    """Two sorts of data never share a key."""
    everything = names(Partition(0)) + names(Partition(1))

    assert len(set(everything)) == len(everything)


def test_directory_and_switches_are_slots_of_their_own() -> None:
    """The directory and the switches each stay together."""
    shared = {name: getattr(keys, name) for name in dir(keys) if name.startswith(("DIR_", "CTL_"))}
    texts = {name: value for name, value in shared.items() if isinstance(value, str)}

    assert len(set(texts.values())) == len(texts)
    for name, value in texts.items():
        assert value.startswith("c1:{dir}:" if name.startswith("DIR_") else "c1:{ctl}:"), name


@pytest.mark.parametrize(("ordinal", "key"), [(0, "c1:{dir}:r:0"), (255, "c1:{dir}:r:0"), (256, "c1:{dir}:r:1")])
def test_recipients_share_buckets(ordinal: int, key: str) -> None:
    """256 ordinals a key: a chunk touches few keys."""
    assert dir_recipients(ordinal) == key
