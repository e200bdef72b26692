"""What arrived, as the receivers saw it."""

from __future__ import annotations

import orjson

from relay.demo.people import by_id, inside
from relay.demo.receivers import Arrival, compare, owner, read_hook, read_mail, ways
from relay.testing.smtp import Mail
from relay.testing.webhooks import Hook

A, B, C = ("sms", "+77010000007"), ("email", "office@school12.example"), ("webhook", "/hospital-4")


def arrival(way: tuple[str, str]) -> Arrival:
    return Arrival(kind=way[0], address=way[1], text="")


def test_mail() -> None:
    """A mail is read by its subject, with its language and the link to answer."""
    raw = (
        b"Subject: =?utf-8?b?0KHQtdC70Yw=?=\r\nContent-Language: ru\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        b"Flood\r\n\r\nhttp://127.0.0.1:1/a/abc\r\n"
    )
    mail = Mail(sender="a@b.example", recipients=("x@y.example",), raw=raw, hello="h", tls=False, user="")

    assert list(read_mail(mail)) == [
        Arrival(kind="email", address="x@y.example", text="Сель", language="ru", link="http://127.0.0.1:1/a/abc")
    ]


def test_hook() -> None:
    """A webhook is read by its text, with the receiver's word on the signature."""
    body = orjson.dumps({"data": {"text": "Flood", "language": "en-GB", "ack_url": "http://127.0.0.1:1/a/abc"}})
    hook = Hook(path="/hospital-4", webhook_id="1", timestamp="1", signature_ok=False, headers={}, body=body)
    read = read_hook(hook)

    assert (read.way, read.text, read.language, read.signed) == (C, "Flood", "en-GB", False)
    assert read.link == "http://127.0.0.1:1/a/abc"


def test_owner() -> None:
    """Every address of the cast leads to its owner, a stranger's to nobody."""
    assert owner(A) == by_id("rescue-7")
    assert owner(("sms", "+77010009999")) is None
    assert all(owner(way) in inside() for way in ways(inside()))


def test_exactly_once() -> None:
    """Everybody once and nobody else is exact."""
    compared = compare([A, B], [arrival(B), arrival(A)])

    assert compared.exact
    assert str(compared) == "0 lost, 0 twice"


def test_what_is_wrong_is_named() -> None:
    """Somebody missing, somebody twice and a stranger are each found."""
    compared = compare([A, B], [arrival(A), arrival(A), arrival(C)])

    assert (compared.lost, compared.twice, compared.strangers) == ((B,), (A,), (C,))
    assert str(compared) == "1 lost, 1 twice, 1 to others"
