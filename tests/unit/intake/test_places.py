"""Which slot a record is for decides what is told again when one primary of a Cluster loses what it had."""

from dataclasses import replace
from datetime import UTC, datetime

from relay.adapter import Kind
from relay.fanout.ids import leg_id
from relay.intake.places import ANYWHERE, places_of, single
from relay.intake.records import (
    AcceptRecord,
    AckRecord,
    ApprovalRecord,
    ControlRecord,
    DirectoryRecord,
    KeyRecord,
    MarkRecord,
)
from relay.store.memories import DIRECTORY, SWITCHES

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ALERT = AcceptRecord(alert_id="a", received_at=NOW, key_id="k", agency="meteo", content_type="text/xml", partition=7)
ACK = AckRecord(
    delivery_id=leg_id("a", kind=Kind.SMS, round_number=0, partition=9) + "-3", answer="1", at=NOW, via="link"
)


def test_records_by_what_they_are_about() -> None:
    """Alerts and answers to their partition, switches and keys, edits of the directory."""
    place_of = places_of(16)

    assert (place_of(ALERT), place_of(ACK)) == (7, 9)
    assert place_of(ControlRecord(op="stop", channel="", reason="", by="", at=NOW)) == SWITCHES
    assert place_of(KeyRecord(entry={}, at=NOW)) == SWITCHES
    assert place_of(DirectoryRecord(op="put", id="r", json={}, at=NOW)) == DIRECTORY


def test_record_whose_alert_may_be_anywhere() -> None:
    """A person's word names an alert, and an alert's id no partition; what cannot be read is nowhere special."""
    place_of = places_of(16)

    assert place_of(ApprovalRecord(alert_id="a", decision="approve", reason="", by="", at=NOW)) == ANYWHERE
    assert place_of(replace(ACK, delivery_id="?")) == ANYWHERE
    assert place_of(MarkRecord(at=NOW)) == ANYWHERE


def test_one_server_is_one_place() -> None:
    """There everything is lost and found together."""
    assert places_of(1) is single
    assert single(ALERT) == single(ACK) == 0
