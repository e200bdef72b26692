"""Recipients for the directory's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from relay.directory.recipient import Recipient

Make = Callable[..., Recipient]


@pytest.fixture
def make() -> Make:
    """Return a maker of recipients: at 43 N 77 E with one number, unless said otherwise."""

    def recipient(recipient_id: str = "a", **fields: Any) -> Recipient:
        addresses = fields.pop("addresses", [("sms", "+77010000007")])
        document = {
            "id": recipient_id,
            "addresses": [{"kind": kind, "value": value} for kind, value in addresses],
            "location": {"lat": 43, "lon": 77},
            **fields,
        }
        return Recipient.model_validate_json(orjson.dumps(document))

    return recipient
