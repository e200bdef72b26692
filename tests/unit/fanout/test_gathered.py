"""The audience of a cancel: nobody twice, each with the words that he read."""

import numpy as np

from relay.adapter import Kind
from relay.fanout.gathered import Gathered
from relay.fanout.plan import Pairs


def pairs(*ordinals: int) -> Pairs:
    count = len(ordinals)
    return Pairs(np.array(ordinals, np.uint32), np.zeros(count, np.uint8), np.zeros(count, np.uint16))


def test_nobody_is_told_twice() -> None:
    """Who was told of two of the cancelled alerts is told once of the end; another kind is another message."""
    gathered = Gathered()
    first = gathered.new(Kind.SMS, pairs(1, 2))
    second = gathered.new(Kind.SMS, pairs(2, 3))
    mail = gathered.new(Kind.EMAIL, pairs(2))

    assert [p.ordinals.tolist() for p in (first, second, mail)] == [[1, 2], [3], [2]]


def test_each_reads_the_infos_of_his_own_alert() -> None:
    """What is added is kept by the alert whose infos are read, and by kind."""
    gathered = Gathered()
    for infos, ordinal in (("a", 1), ("a", 2), ("b", 3)):
        gathered.add(infos, Kind.SMS, pairs(ordinal))

    assert {infos: [p.ordinals.tolist() for p in kinds[Kind.SMS]] for infos, kinds in gathered.by_infos.items()} == {
        "a": [[1], [2]],
        "b": [[3]],
    }
