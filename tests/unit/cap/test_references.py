from __future__ import annotations

from relay.cap.identity import k1
from relay.cap.references import (
    is_postdated,
    message_key,
    names_itself,
    names_namesake,
    read_references,
    reference_key,
)
from tests.unit.cap.samples import ALERT, read, with_

OWN = "duty@seismo.example,quake-1,2026-03-01T04:05:40+05:00"


def test_triplets_are_separated_by_whitespace() -> None:
    """CAP-007: triplets stand between any spaces; what is no triplet is told."""
    reading = read_references(
        f"{OWN}\n\t a@b.example,two,2026-03-01T00:00:00Z  broken a,b,yesterday ,x,2026-03-01T00:00:00Z"
    )

    assert [reference.identifier for reference in reading.references] == ["quake-1", "two"]
    assert reading.references[1].sent.text == "2026-03-01T00:00:00-00:00"
    assert reading.malformed == ("broken", "a,b,yesterday", ",x,2026-03-01T00:00:00Z")


def test_reference_has_the_key_of_its_message() -> None:
    """A reference, in any zone, has the K1 of the message that it names."""
    alert = read(ALERT).alert
    elsewhere = read_references("duty@seismo.example,quake-1,2026-02-28T23:05:40-00:00").references[0]

    assert reference_key(elsewhere) == k1(alert) == message_key(alert.sender, alert.identifier, alert.sent)
    assert names_itself(alert, elsewhere)


def test_namesake_and_later_message() -> None:
    """CAP-007: a reference to another message with the same identifier, and to a later one, are told apart."""
    alert = read(with_("", "")).alert
    later = read_references(OWN.replace("04:05:40", "05:05:40")).references[0]

    assert names_namesake(alert, later)
    assert is_postdated(alert, later)
    assert not names_itself(alert, later)
