"""The first line of an alert counts, whenever its file is read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from bench.client import NotReached, Posted
from bench.handed import Handed
from relay.adapter import Kind
from relay.fanout.ids import DeliveryRef, leg_id

AT = datetime(2026, 3, 1, 6, 0, 0, 250_000, tzinfo=UTC)
ONE, OTHER = (Posted(alert_id=name, began=1.0, accepted=2.0) for name in ("one", "other"))


def line(posted: Posted, rank: int, at: datetime) -> bytes:
    leg = leg_id(posted.alert_id, kind=Kind.EMAIL, round_number=0)
    row = {"delivery_id": str(DeliveryRef(leg, rank)), "recipient": "a@b.example", "time": at.isoformat()}
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


async def test_the_first_line_counts(tmp_path: Path) -> None:
    """Later ones of the same alert do not, nor what is only half written."""
    file = tmp_path / "mail.ndjson"
    handed = Handed(file, Kind.EMAIL)
    before = handed.seen(ONE)
    whole = line(OTHER, 0, AT)
    file.write_bytes(line(ONE, 3, AT) + line(ONE, 4, AT.replace(second=9)) + whole[:20])
    half = handed.seen(OTHER)
    with file.open("ab") as more:
        more.write(whole[20:])

    assert (before, half) == (None, None)
    assert handed.seen(ONE) == handed.seen(OTHER) == AT.timestamp()
    assert await handed.first(ONE, within=1) == AT.timestamp()


async def test_who_is_not_told_is_said(tmp_path: Path) -> None:
    """Nothing within the time: the figure cannot be measured."""
    with pytest.raises(NotReached, match="one was handed over as email"):
        await Handed(tmp_path / "none", Kind.EMAIL).first(ONE, within=0.02)
