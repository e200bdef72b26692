"""Items: what a channel is handed for each delivery of a step, made many at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from relay.adapter import Content, Hole, Item
from relay.fanout.contents import LegFacts
from relay.fanout.segment import SEGMENT, Segment
from relay.fanout.targets import Target
from relay.messages.holes import json_value
from relay.tracking import token
from relay.tracking.states import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """How links to the alert's page are made."""

    base_url: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """What all items of a group share: when they were prepared (RFC 3339), and when their alert ends."""

    stamp: str
    expires: datetime

    @classmethod
    def of(cls, seconds: float, expires_ms: float) -> Moment:
        """Return the moment for a time and an end."""
        stamp = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
        return cls(stamp, datetime.fromtimestamp(expires_ms / 1000, UTC))


def make_items(
    facts: LegFacts,
    segment: Segment,
    targets: Mapping[int, Target],
    begun: Mapping[int, Record],
    *,
    links: Links,
    moment: Moment,
    content_of: Callable[[int], Content],
) -> dict[int, Item]:
    """Return the item of each position in ``begun`` (records at their hand-over); ``content_of`` renders a variant."""
    first = segment.number * SEGMENT
    variants = {position: int(segment.variants[position]) for position in begun}
    contents = {variant: content_of(variant) for variant in set(variants.values())}
    tokens = token.make_many(facts.leg_id, [first + position for position in begun], links.secret)
    prefix, link_prefix = f"{facts.leg_id}-", f"{links.base_url}/a/"
    items: dict[int, Item] = {}
    # One turn of this loop for every message ever sent: what can be worked out once is worked out above.
    for (position, record), token_text in zip(begun.items(), tokens, strict=True):
        target = targets[position]
        content = contents[variants[position]]
        delivery_id = f"{prefix}{first + position}"
        link = link_prefix + token_text
        items[position] = Item(
            delivery_id=delivery_id,
            address=target.address,
            content=content,
            values={
                Hole.DELIVERY_ID: delivery_id,
                Hole.RECIPIENT: target.recipient,
                Hole.NAME: target.name if content.body is None else json_value(target.name),
                Hole.ACK_URL: link,
                Hole.CAP_URL: link + "/cap",
                Hole.TIMESTAMP: moment.stamp,
            },
            klass=facts.klass,
            expires=moment.expires,
            send_number=record.send,
            secret=target.secret,
        )
    return items
