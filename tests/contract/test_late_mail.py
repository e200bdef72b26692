"""Late mail: words that workers could not place reach the archive, or are given up aloud."""

from relay.fanout.ids import DeliveryRef
from relay.store.legs import Legs
from relay.tracking.late_mail import PATIENCE, LateMail
from relay.tracking.receipts import LateWord, Receipts
from relay.tracking.states import Record, State
from relay.tracking.writes import Writes
from tests.contract.kept_side import World


async def test_word_left_by_a_worker_is_delivered(world: World) -> None:
    """A reply that a worker cannot place reaches the archive; one that nobody wants is given up after a day."""
    leg = await world.archived()
    worker = Receipts(
        world.receipts, Writes(Legs(world.engine.redis, world.engine.keys), world.engine.chunks), clock=world.clock
    )
    await world.receipts.opened({"+77010000001": f"{leg}-2"})
    taken = await worker.answer("+77010000001", "3")
    unknown = DeliveryRef("zzzzzzzzzzzzz", 0)
    await world.receipts.late(LateWord(State.DELIVERED, world.clock.time()).pack(unknown))
    mail = LateMail(world.receipts, world.writes, clock=world.clock)
    delivered = await mail.once()
    waiting = await world.receipts.late_words(first=0, most=9)
    world.clock.advance(PATIENCE + 1)
    given_up = await mail.once()
    records = await world.legs.records(leg, 0, first=0, last=3)

    assert taken
    assert (delivered, len(waiting), given_up) == (1, 1, 1)
    assert (Record.unpack(records[48:]).state, Record.unpack(records[48:]).answer) == (State.ACKNOWLEDGED, 3)
