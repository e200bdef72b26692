"""Items: what an adapter is handed, personal where it must be."""

from typing import cast

import numpy as np

from relay.adapter import Class, Hole
from relay.fanout.contents import LegFacts
from relay.fanout.ids import DeliveryRef
from relay.fanout.items import Links, Moment, make_items
from relay.fanout.segment import SEGMENT, Segment
from relay.fanout.targets import Target
from relay.testing.items import make_content
from relay.tracking import token
from relay.tracking.states import Record

LINKS = Links(base_url="https://relay.example", secret=b"secret")
LEG = "abcdefghijklm"


class Facts:
    leg_id = LEG
    klass = Class.P2


def test_each_item_is_for_its_own_recipient() -> None:
    """Address, link, id, text and send number are those of the position; what is shared is asked for once."""
    segment = Segment(np.arange(4, dtype=np.uint32), np.zeros(4, np.uint8), np.array([0, 1, 0, 1], np.uint16), 2)
    targets = {p: Target(f"rescue-{p}", 'Squad "7"', f"+7701000000{p}", "") for p in range(4)}
    asked: list[int] = []

    def content(variant: int) -> object:
        asked.append(variant)
        return make_content(f"text {variant}")

    items = make_items(
        cast("LegFacts", Facts()),
        segment,
        targets,
        {p: Record(send=p) for p in (1, 2, 3)},
        links=LINKS,
        moment=Moment.of(0.0, 60_000),
        content_of=content,  # type: ignore[arg-type]
    )
    item = items[3]
    ref = DeliveryRef(LEG, 2 * SEGMENT + 3)

    assert sorted(asked) == [0, 1]
    assert list(items) == [1, 2, 3]
    assert (item.address, item.delivery_id, item.send_number) == ("+77010000003", str(ref), 3)
    assert item.text == f"text 1 https://relay.example/a/{token.make(ref, b'secret')}"
    assert item.values[Hole.NAME] == 'Squad \\"7\\"'
    assert (item.values[Hole.TIMESTAMP], item.expires.timestamp()) == ("1970-01-01T00:00:00+00:00", 60)
