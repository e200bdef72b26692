"""Numbers, mailboxes and secrets that are taken or refused."""

from __future__ import annotations

import base64

import pytest

from relay.adapter import Kind
from relay.directory.address import check_number, check_secret, check_value, is_mailbox


@pytest.mark.parametrize(
    "number",
    [
        "+77010000007",
        "+77010009999",
        "+996700123456",
        "+998901234567",
        "+992917123456",
        "+79001234567",
        "+93701234567",
        "+881612345678",
        "+14155550123",
    ],
)
def test_numbers_of_people(number: str) -> None:
    """Mobile numbers of the region, fictional ones and satellite phones are taken."""
    assert check_number(number) is None


@pytest.mark.parametrize(
    "number",
    [
        "",
        "+1",
        "112",
        "911",
        "+112",
        "+7112",
        "+1911",
        "+882123456789",
        "+979123456789",
        "+80012345678",
        "+19005551234",
        "+19115551234",
        "+" + "7" * 40,
        "+7701ABC0007",
        "+447700900123;ext=5",
        "+7 701 000 00 07",
        "87010000007",
        "77010000007",
        "+7701000000७",
        "+77010000007\n",
        "+770100000071",
        "+7701000000",
        "+99912345678",
    ],
)
def test_numbers_that_are_refused(number: str) -> None:
    """Short, emergency, premium and nonsense numbers are refused with what to write instead (BI-202)."""
    fault = check_number(number)

    assert fault is not None
    assert fault.rule == "RELAY-NUMBER"
    assert fault.message
    assert fault.message_ru


@pytest.mark.parametrize(
    "mailbox",
    ["duty@rescue7.example", "d.u-t+y_1@a.b.example", "o'neil@xn--80akhbyknj4f.example", "x" * 64 + "@m.example"],
)
def test_mailboxes(mailbox: str) -> None:
    """Plain mailboxes are taken, an internationalised domain in its ASCII form too."""
    assert is_mailbox(mailbox)


@pytest.mark.parametrize(
    "mailbox",
    [
        "",
        "@c.example",
        "a@",
        '"a b"@c.example',
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@localhost",
        "a@b@c.example",
        "a..b@c.example",
        ".a@c.example",
        "a@c..example",
        "a@-c.example",
        "a@" + "l" * 64 + ".example",
        "x" * 65 + "@c.example",
        "a@" + "abcdefgh." * 28 + "example",
        "дежурный@c.example",
        "a@почта.example",
        "a\x00@c.example",
        "a@c.example\r\nBcc: b@c.example",
        "a@c.example\n",
        "Duty <a@c.example>",
        "a@c.example,b@c.example",
    ],
)
def test_mailboxes_that_are_refused(mailbox: str) -> None:
    """What could be read as anything but one mailbox is refused (BI-197, BI-199)."""
    assert not is_mailbox(mailbox)


def test_each_kind_is_judged_by_its_own_rules() -> None:
    """A URL is left to the egress guard; a number is no mailbox."""
    assert check_value(Kind.WEBHOOK, "anything") is None
    assert check_value(Kind.SMS, "+77010000007") is None
    assert check_value(Kind.EMAIL, "a@c.example") is None
    fault = check_value(Kind.EMAIL, "+77010000007")
    assert fault is not None
    assert fault.rule == "RELAY-MAILBOX"


def secret(size: int) -> str:
    return "whsec_" + base64.b64encode(bytes(size)).decode()


@pytest.mark.parametrize("good", [None, secret(24), secret(32), secret(64)])
def test_secrets(good: str | None) -> None:
    """Standard Webhooks' sizes are taken, and none at all."""
    assert check_secret(Kind.WEBHOOK, good) is None


@pytest.mark.parametrize(
    "bad", ["", "whsec_", "whsec_...", secret(23), secret(65), secret(32)[6:], secret(32) + "\n", "й"]
)
def test_secrets_that_are_refused(bad: str) -> None:
    """A secret that the receiver could not use is refused, without being repeated."""
    fault = check_secret(Kind.WEBHOOK, bad)

    assert fault is not None
    assert fault.rule == "RELAY-SECRET"


def test_only_webhooks_have_secrets() -> None:
    """A secret beside a number is a mistake worth hearing of."""
    assert check_secret(Kind.SMS, secret(32)) is not None
    assert check_secret(Kind.SMS, None) is None
