"""PDUs as values."""

from __future__ import annotations

from adapters.sms.pdu import RESPONSE, Bind, Command, Pdu, ShortMessage, Tag


def test_password_is_not_shown() -> None:
    """A bind that ends up in a log or a traceback does not show its password."""
    shown = repr(Pdu(Command.BIND_TRANSCEIVER, 1, Bind(system_id="chapar", password="opensesame")))

    assert "opensesame" not in shown
    assert "chapar" in shown


def test_first_of_repeated_parameters_counts() -> None:
    """A parameter that comes twice is read once; one that is missing is None."""
    message = ShortMessage(tlvs=((Tag.MESSAGE_STATE, b"\2"), (Tag.MESSAGE_STATE, b"\5")))

    assert message.tlv(Tag.MESSAGE_STATE) == b"\2"
    assert message.tlv(Tag.MESSAGE_PAYLOAD) is None


def test_each_request_has_its_response() -> None:
    """The response to a command is the same number with the high bit (SMPP 3.4 §5.1.2.1)."""
    pairs = {name: Command[f"{name}_RESP"] for name in ("SUBMIT_SM", "DELIVER_SM", "UNBIND", "ENQUIRE_LINK")}

    assert {name: Command[name] | RESPONSE for name in pairs} == pairs
