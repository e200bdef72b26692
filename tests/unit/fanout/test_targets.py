"""Where a delivery goes, or why nowhere any more."""

import orjson
import pytest

from relay.adapter import Kind
from relay.fanout.targets import Target, target_of

ROW = orjson.dumps(
    {
        "id": "rescue-1",
        "name": "Отряд 1",
        "addresses": [
            {"kind": "sms", "value": "+77010000001"},
            {"kind": "webhook", "value": "https://hook.rescue.example/", "secret": "whsec_x"},
            {"kind": "email", "value": "duty@rescue.example", "secret": None},
        ],
    }
)


def test_address_of_a_slot() -> None:
    """A slot gives its address, with the secret of a webhook."""
    assert target_of(ROW, 0, slot=0, kind=Kind.SMS) == Target("rescue-1", "Отряд 1", "+77010000001", "")
    assert target_of(ROW, 0, slot=1, kind=Kind.WEBHOOK) == Target(
        "rescue-1", "Отряд 1", "https://hook.rescue.example/", "whsec_x"
    )
    assert target_of(ROW, 0, slot=2, kind=Kind.EMAIL) == Target("rescue-1", "Отряд 1", "duty@rescue.example", "")


def test_name_may_be_missing() -> None:
    """A recipient without a name has an empty one."""
    row = b'{"id":"a","addresses":[{"kind":"sms","value":"+77010000001"}]}'

    assert target_of(row, 0, slot=0, kind=Kind.SMS) == Target("a", "", "+77010000001", "")


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_opt_out_is_per_slot(slot: int) -> None:
    """An opt-out of one address leaves the others."""
    kinds = [Kind.SMS, Kind.WEBHOOK, Kind.EMAIL]
    found = [target_of(ROW, 1 << slot, slot=s, kind=kinds[s]) for s in range(3)]

    assert [f == "opted_out" for f in found] == [s == slot for s in range(3)]


@pytest.mark.parametrize("row", [None, b'{"deleted":true}', b'{"deleted":true,"addresses":[]}'])
def test_deleted_recipient(row: bytes | None) -> None:
    """Who was deleted is not "opted out", though all slots are denied: the reason is told as it is."""
    assert target_of(row, 255, slot=0, kind=Kind.SMS) == "recipient_deleted"


@pytest.mark.parametrize(("slot", "kind"), [(0, Kind.EMAIL), (2, Kind.SMS), (3, Kind.SMS), (7, Kind.WEBHOOK)])
def test_changed_addresses(slot: int, kind: Kind) -> None:
    """A slot that is gone or holds another kind by now is not used: the message was made for the old one."""
    assert target_of(ROW, 0, slot=slot, kind=kind) == "address_changed"
