"""What machines of one deployment must have in common, and what a worker says when they do not."""

from __future__ import annotations

from typing import Any

import pytest

from relay.deployment import compare, digests, fingerprint, told_by
from relay.settings import Settings

SECRET = b"s" * 64


def settings(**more: Any) -> Settings:
    sms = {"adapter": "console", "rate": 10, "settings": {"kind": "sms", "path": "/one/sent", "verdict": "delivered"}}
    return Settings.model_validate({"public_url": "https://warn.example", "channels": {"sms": sms}, **more})


def channel(**change: Any) -> dict[str, Any]:
    return {"sms": {**settings().channels["sms"].model_dump(), **change}}


def test_the_same_on_both_is_content() -> None:
    """Nothing is said where there is nothing to say; a worker without an address for links takes the other's."""
    told = told_by(settings(), SECRET)

    for here in (settings(), settings(public_url=""), settings(public_url="https://warn.example/")):
        verdict = compare(told, here, SECRET)
        assert (verdict.refused, verdict.warned) == ((), ())


@pytest.mark.parametrize(
    "change",
    [
        {"adapter": "smtp"},
        {"order": 3},
        {"rate": 11.0},
        {"lanes": ("drill",)},
        {"match": ("+7",)},
        {"receipt_deadline": 5.0},
    ],
)
def test_a_channel_that_reaches_others_is_refused(change: dict[str, Any]) -> None:
    """Whatever decides who is reached, how fast and by what must be the same."""
    verdict = compare(told_by(settings(), SECRET), settings(channels=channel(**change)), SECRET)

    assert len(verdict.refused) == 1
    assert "the channels sms are not configured as on the API node" in verdict.refused[0]


def test_a_channel_too_many_or_too_few_is_refused() -> None:
    """A channel that one of them does not know would leave people without a way."""
    more = settings(channels={**channel(), "mail": {"adapter": "console", "settings": {"kind": "email"}}})

    for there, here in ((settings(), more), (more, settings())):
        (sentence,) = compare(told_by(there, SECRET), here, SECRET).refused
        assert "the channels mail are" in sentence


def test_what_only_the_adapter_reads_is_a_warning() -> None:
    """A path or a local address may differ from machine to machine."""
    other = settings(channels=channel(settings={"kind": "sms", "path": "/two/sent"}))
    verdict = compare(told_by(settings(), SECRET), other, SECRET)

    assert verdict.refused == ()
    assert verdict.warned == ("the settings of the adapter of sms are not those of the API node",)


@pytest.mark.parametrize(
    ("here", "in_redis", "remedy"),
    [
        ({}, {}, "ack.secret, and start again: it comes from Redis then"),
        ({"ack_secret_file": "/etc/chapar/ack"}, {}, "Put the same /etc/chapar/ack on every machine"),
        ({}, {"ack_secret_file": "/etc/chapar/ack"}, "name the same file in ack_secret_file"),
    ],
)
def test_another_secret_is_refused_with_what_to_do(here: dict[str, Any], in_redis: dict[str, Any], remedy: str) -> None:
    """Links that would not work are found before the first one leaves."""
    (sentence,) = compare(told_by(settings(**in_redis), b"t" * 64), settings(**here), SECRET).refused

    assert "links in messages sent from here would not work" in sentence
    assert remedy in sentence


def test_another_address_for_links_is_refused() -> None:
    """Links of one alert lead to one place."""
    (sentence,) = compare(told_by(settings(), SECRET), settings(public_url="https://other.example"), SECRET).refused

    assert "https://other.example here and https://warn.example on the API node" in sentence


def test_digests_give_nothing_away() -> None:
    """Passwords in channel settings cannot be guessed from what Redis holds, and the secret not from its name."""
    one, two = (digests(settings().channels, secret) for secret in (SECRET, b"t" * 64))

    assert one["sms"] != two["sms"]
    assert fingerprint(SECRET) not in SECRET.decode()
    assert told_by(settings(ack_secret_file="/etc/chapar/ack"), SECRET).secret == ""
