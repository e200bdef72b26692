"""Where to claim next: the worst news first, wherever it is, and nothing starves."""

from relay.store.lookout import FLOOR, Look, Lookout

P0, P1, P4 = 1, 2, 16
ALL = 6
LATER = 100.0


def seen(*waiting: int) -> Lookout:
    """Return a lookout that has just been everywhere."""
    lookout = Lookout(len(waiting))
    for place, classes in enumerate(waiting):
        lookout.found(place, waiting=classes, look_at=LATER)
    return lookout


def places(lookout: Lookout, count: int, *, now: float = 1.0, lowest: int = ALL) -> list[int | None]:
    """Return where the next claims go, if each leaves everything as it was."""
    looks = [lookout.next(now, lowest=lowest) for _ in range(count)]
    return [look.place if look is not None else None for look in looks]


def test_every_partition_is_looked_at_first() -> None:
    """Nothing is known at the start: each is asked once, and then there is rest."""
    lookout = Lookout(3)
    asked = []
    while (look := lookout.next(1.0, lowest=ALL)) is not None:
        asked.append(look.place)
        lookout.nothing(look.place, lowest=ALL, look_at=5.0)

    assert sorted(asked) == [0, 1, 2]
    assert lookout.rest(1.0) == 4.0


def test_worst_news_first() -> None:
    """The partition with the most urgent class is asked, whatever waits elsewhere."""
    assert places(seen(P4, P1, P4), 3) == [1, 1, 1]


def test_equal_news_in_turn() -> None:
    """Two partitions with the same class share."""
    assert places(seen(P1, P1 | P4, P4), 4) == [0, 1, 0, 1]


def test_flash_goes_before_a_look_around() -> None:
    """What is known to be flash is not kept waiting by a look at what may be there."""
    lookout = seen(P4, P0, P4)
    lookout.rang(2)

    assert places(lookout, 1) == [1]


def test_bell_is_looked_after_before_low_news() -> None:
    """A bell may mean a flash alert."""
    lookout = seen(P4, P4, 0)
    lookout.rang(2)

    assert places(lookout, 1) == [2]


def test_lowest_class_has_its_share() -> None:
    """One claim in sixteen goes to the partition with the lowest class, and starts with it there; none while P0 waits."""
    lookout = seen(P1, P4)
    looks = [lookout.next(1.0, lowest=ALL) for _ in range(2 * FLOOR)]
    low = [look for look in looks if look is not None and look.place == 1]

    assert low == [Look(1, 1)] * 2
    assert 1 not in places(seen(P0, P4), 2 * FLOOR)


def test_urgent_claims_see_urgent_news_only() -> None:
    """With slots for P0 and P1 alone, partitions with lower news are passed over and not forgotten."""
    lookout = seen(P4, P1)

    assert places(lookout, 1, lowest=2) == [1]
    lookout.nothing(1, lowest=2, look_at=LATER)

    assert places(lookout, 1, lowest=2) == [None]
    assert places(lookout, 1) == [0]


def test_partition_is_looked_at_again_in_time() -> None:
    """What will be due there is due for the lookout too."""
    lookout = seen(0, 0)
    lookout.nothing(1, lowest=ALL, look_at=3.0)

    assert places(lookout, 1, now=2.9) == [None]
    assert places(lookout, 1, now=3.0) == [1]
