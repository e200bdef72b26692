"""What is said of a new alert, as fields."""

from dataclasses import replace

from relay.adapter import Class
from relay.store.memories import ANY_MEMORY
from relay.store.new_alert import NewAlert

NEW = NewAlert(
    alert_id="a",
    k0="k0",
    k1="k1",
    k2="k2",
    node="node",
    number=7,
    state="accepted",
    reason="",
    msg_type="Alert",
    klass=Class.P2,
    received_ms=1000,
    expires_ms=9000,
    referenced=(),
    raw=b"<alert/>",
    fields={"headline": "Flood"},
)


def test_facts_are_what_others_read() -> None:
    """Keys, class and times stand beside what the document says; there is no reason where none was given."""
    assert NEW.facts == {
        "headline": "Flood",
        "k0": "k0",
        "k1": "k1",
        "node": "node",
        "msgType": "Alert",
        "class": Class.P2,
        "received": "1000",
        "expires": "9000",
    }
    assert replace(NEW, reason="clock_doubt").facts["reason"] == "clock_doubt"


def test_a_key_that_the_document_gives_is_not_said_twice() -> None:
    """Intake may say that K1 follows from the document; that wins."""
    assert replace(NEW, fields={"k1": "="}).facts["k1"] == "="


def test_a_first_word_is_for_any_memory() -> None:
    """Only what is told again names the memory it is for."""
    assert NEW.memory == ANY_MEMORY
