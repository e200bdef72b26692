"""Reading receipts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sms.pdu import ShortMessage, Tag
from adapters.sms.receipt import IdForm, is_receipt, receipt_of, submitted_id
from relay.adapter import Receipt, Verdict

TEXT = "id:{id} sub:001 dlvrd:001 submit date:2603010600 done date:2603010601 stat:{stat} err:000 text:"


def by_text(stat: str = "DELIVRD", id: str = "n1") -> ShortMessage:  # noqa: A002 - the field's own name
    """A receipt in the form of appendix B."""
    return ShortMessage(esm_class=4, payload=TEXT.format(id=id, stat=stat).encode())


def by_parameters(state: int, id: bytes = b"n1\0") -> ShortMessage:  # noqa: A002
    """A receipt in optional parameters."""
    tlvs = ((Tag.RECEIPTED_MESSAGE_ID, id), (Tag.MESSAGE_STATE, bytes((state,))))
    return ShortMessage(esm_class=4, tlvs=tlvs)


@pytest.mark.parametrize(
    ("stat", "state", "verdict", "reason"),
    [
        ("DELIVRD", 2, Verdict.DELIVERED, ""),
        ("EXPIRED", 3, Verdict.REJECTED, "expired_at_provider"),
        ("DELETED", 4, Verdict.REJECTED, "deleted_at_provider"),
        ("UNDELIV", 5, Verdict.REJECTED, "undeliverable"),
        ("REJECTD", 8, Verdict.REJECTED, "rejected_by_provider"),
        ("ACCEPTD", 6, Verdict.ACCEPTED, "provider_acceptd"),
        ("ENROUTE", 1, Verdict.ACCEPTED, "provider_enroute"),
        ("UNKNOWN", 7, Verdict.ACCEPTED, "provider_unknown"),
    ],
)
def test_states(stat: str, state: int, verdict: Verdict, reason: str) -> None:
    """Text and parameters say the same; only a final word is final."""
    expected = Receipt(provider_id="n1", verdict=verdict, reason=reason)

    assert receipt_of(by_text(stat)) == expected
    assert receipt_of(by_parameters(state)) == expected


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("id:n1 stat:DELIVERED", Verdict.DELIVERED),
        ("ID: n1 STAT:delivrd ERR:0", Verdict.DELIVERED),
        ("id:n1 sub:1 dlvrd:1 stat:UNDELIVERABLE err:11 Text:hello", Verdict.REJECTED),
        ("id:n1", Verdict.ACCEPTED),
        ("id:n1 stat:", Verdict.ACCEPTED),
    ],
)
def test_lenient_text(text: str, verdict: Verdict) -> None:
    """Providers write the text form in many ways; what says nothing final is not final."""
    receipt = receipt_of(ShortMessage(esm_class=4, payload=text.encode()))

    assert receipt is not None
    assert (receipt.provider_id, receipt.verdict) == ("n1", verdict)


@pytest.mark.parametrize("coding", [0, 3, 8])
def test_alphabet_of_the_text(coding: int) -> None:
    """A receipt may be written in any alphabet."""
    octets = TEXT.format(id="n1", stat="DELIVRD").encode("utf-16-be" if coding == 8 else "ascii")
    receipt = receipt_of(ShortMessage(esm_class=4, payload=octets, data_coding=coding))

    assert receipt is not None
    assert receipt.provider_id == "n1"


@pytest.mark.parametrize(
    ("ids", "response", "receipt"),
    [("same", "00AB", "00AB"), ("decimal", "0000AB10", "43792"), ("hex", "43792", "ab10"), ("decimal", "x-1", "x-1")],
)
def test_id_in_another_base(ids: IdForm, response: str, receipt: str) -> None:
    """A provider that answers in one base and writes receipts in the other is matched; other ids stay as they are."""
    found = receipt_of(by_text(id=receipt), ids=ids)
    named = receipt_of(by_parameters(2, response.encode()), ids=ids)

    assert found is not None
    assert named is not None
    assert found.provider_id == submitted_id(response, ids=ids) == named.provider_id


def test_phone_cannot_forge_a_receipt() -> None:
    """A reply that reads like a receipt is a reply."""
    text = TEXT.format(id="n1", stat="DELIVRD").encode()

    assert not is_receipt(ShortMessage(payload=text))
    assert is_receipt(ShortMessage(payload=text, esm_class=0x04))
    assert is_receipt(ShortMessage(payload=text, esm_class=0x20))
    assert is_receipt(ShortMessage(tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"n1\0"),)))


def test_receipt_without_an_id() -> None:
    """A receipt that names nothing is none."""
    assert receipt_of(ShortMessage(esm_class=4, payload=b"stat:DELIVRD")) is None
    assert receipt_of(ShortMessage(esm_class=4, tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"\0"),))) is None


@given(st.binary(max_size=200), st.integers(0, 255), st.lists(st.tuples(st.sampled_from(list(Tag)), st.binary())))
def test_any_message_can_be_read(payload: bytes, coding: int, tlvs: list[tuple[Tag, bytes]]) -> None:
    """No message from outside breaks the reader."""
    message = ShortMessage(esm_class=4, payload=payload, data_coding=coding, tlvs=tuple(tlvs))
    receipt = receipt_of(message, ids="decimal")

    assert receipt is None or receipt.provider_id
