"""The tally of a channel."""

from relay.fanout.tally import Tally


def test_only_the_last_ten_seconds_count() -> None:
    """The rate is the mean of ten seconds; the total is of the whole life."""
    tally = Tally()
    for second, count in ((1, 100), (5, 30), (5, 10), (14, 20)):
        tally.add(count, second=second)

    assert tally.per_second(second=14) == 6.0
    assert tally.total == 160
