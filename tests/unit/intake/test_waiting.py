"""Records that wait: the most urgent first, and a place that is away keeps nobody else waiting."""

from datetime import UTC, datetime

from relay.intake.records import AckRecord, ControlRecord, Record
from relay.intake.waiting import Pending, Waiting

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def control() -> ControlRecord:
    return ControlRecord(op="stop", channel="", reason="", by="", at=NOW)


def ack() -> AckRecord:
    return AckRecord(delivery_id="", answer="1", at=NOW, via="link")


def place_of(record: Record) -> int:
    return 1 if isinstance(record, AckRecord) else 0


def waiting(*items: Pending) -> Waiting:
    made = Waiting(place_of)
    for item in items:
        made.add(item)
    return made


def test_most_urgent_of_all_places_first() -> None:
    """By rank, then in the order of the journal, wherever they go."""
    made = waiting(Pending(5, 1, control(), False), Pending(0, 3, ack(), False), Pending(0, 2, control(), False))
    taken = []
    while (item := made.take({0, 1})) is not None:
        taken.append(item.number)

    assert taken == [2, 3, 1]


def test_place_that_is_away_waits_alone() -> None:
    """What is for another place is not behind it."""
    made = waiting(Pending(0, 1, ack(), False), Pending(5, 2, control(), False))
    item = made.take({0})

    assert item is not None
    assert item.number == 2
    assert made.take({0}) is None


def test_record_waits_once() -> None:
    """Until it is done, however often it is told to wait, and whether it was taken or not."""
    made = waiting(Pending(0, 1, ack(), False))

    assert not made.add(Pending(0, 1, ack(), True))
    item = made.take({1})
    assert item is not None

    assert not made.add(Pending(0, 1, ack(), True))
    assert (len(made), 1 in made, made.any_of(AckRecord), made.any_of(ControlRecord)) == (1, True, True, False)
    made.done(item)

    assert (len(made), made.any_of(AckRecord)) == (0, False)


def test_what_waited_when_all_was_lost_comes_again() -> None:
    """Redis took it and could not say so in time, then lost it: people may have been told, so it is not told as new."""
    first = Pending(1, 7, ack(), again=False)
    made = waiting(first)

    assert not made.add(Pending(1, 7, ack(), again=True))
    assert made.take({1}) is first
    assert first.again
    assert not made.add(Pending(1, 7, ack(), again=False))
    assert first.again
