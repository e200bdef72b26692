"""The webhook adapter keeps the adapter contract, over a real receiver on loopback."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from standardwebhooks.webhooks import Webhook as Oracle

from adapters.webhook.webhook import Webhook
from relay.adapter import Verdict
from relay.clock import SystemClock
from relay.testing.contract import AdapterContract
from relay.testing.items import make_content
from relay.testing.provider import Provider
from relay.testing.webhooks import Answer, WebhookReceiver
from tests.contract.webhook_side import SECRET, Receivers, hook, post


class TestWebhookContract(AdapterContract):
    """The contract, over HTTP."""

    adapter = Webhook

    @pytest.fixture
    async def provider(self) -> AsyncIterator[Provider]:
        async with WebhookReceiver(secrets={"*": SECRET}) as receiver:
            yield Receivers(receiver)


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A receiver on loopback that knows the secret."""
    async with WebhookReceiver(secrets={"*": SECRET}) as running:
        yield running


async def test_reference_library_verifies(receiver: WebhookReceiver) -> None:
    """The library of the Standard Webhooks project accepts what arrives, and the id is that of the delivery."""
    await post(receiver, hook(receiver.url("/a")))
    arrived = receiver.hooks[0]
    document = Oracle(SECRET).verify(arrived.body, {k.lower(): v for k, v in arrived.headers.items()})

    assert document["data"]["delivery_id"] == "leg0contract-0"
    assert arrived.webhook_id == "leg0contract-0"
    assert abs(int(arrived.timestamp) - SystemClock().time()) < 60
    assert arrived.headers["Content-Type"] == "application/json"


async def test_both_secrets_verify_while_rotating(receiver: WebhookReceiver) -> None:
    """With two secrets the receiver may still check with either."""
    other = "whsec_" + b64encode(b"o" * 32).decode()
    await post(receiver, hook(receiver.url("/a"), secret=f"{other} {SECRET}"))

    assert receiver.hooks[0].signature_ok is True


async def test_receiver_notices_a_wrong_secret(receiver: WebhookReceiver) -> None:
    """The receiver's own check is not always true."""
    await post(receiver, hook(receiver.url("/a"), secret="whsec_" + b64encode(b"o" * 32).decode()))

    assert receiver.hooks[0].signature_ok is False


async def test_without_secret_nothing_is_signed(receiver: WebhookReceiver) -> None:
    """A recipient without a secret is told all the same, unsigned."""
    outcomes = await post(receiver, hook(receiver.url("/a"), secret=""))

    assert outcomes[0].verdict is Verdict.DELIVERED
    assert "webhook-signature" not in receiver.hooks[0].headers


async def test_broken_secret_is_refused(receiver: WebhookReceiver) -> None:
    """A secret that cannot be read is the operator's to repair; nothing goes out unsigned instead."""
    outcomes = await post(receiver, hook(receiver.url("/a"), secret="whsec_###"))

    assert (outcomes[0].verdict, outcomes[0].reason) == (Verdict.REJECTED, "bad_secret")
    assert not receiver.hooks


@pytest.mark.parametrize("size", [60, 2 * 1024 * 1024])
async def test_cap_format_posts_the_agencys_bytes(receiver: WebhookReceiver, size: int) -> None:
    """A peer with ``format = "cap"`` gets the original bytes, signed, also when they are large."""
    cap = b"<alert>" + b"x" * size + b"</alert>"
    item = hook(receiver.url("/a"), content=replace(make_content(), cap=cap))
    outcomes = await post(receiver, item, format="cap")

    assert outcomes[0].verdict is Verdict.DELIVERED
    assert receiver.hooks[0].body == cap
    assert receiver.hooks[0].headers["Content-Type"] == "application/cap+xml"
    assert receiver.hooks[0].signature_ok is True


async def test_alert_without_cap_is_not_posted_as_cap(receiver: WebhookReceiver) -> None:
    """An empty body would tell nobody anything."""
    item = hook(receiver.url("/a"), content=replace(make_content(), cap=b""))
    outcomes = await post(receiver, item, format="cap")

    assert (outcomes[0].verdict, outcomes[0].reason) == (Verdict.REJECTED, "nothing_to_post")


async def test_gone_opts_out(receiver: WebhookReceiver) -> None:
    """410 is a receiver's way to say: no more (Standard Webhooks)."""
    receiver.answer = Answer(status=410)
    outcomes = await post(receiver, hook(receiver.url("/a")))

    assert outcomes[0].verdict is Verdict.OPTED_OUT


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(receiver: WebhookReceiver, status: int) -> None:
    """A redirect, even to the same host, ends the attempt (BI-220)."""
    receiver.answer = Answer(status=status, headers={"Location": receiver.url("/elsewhere")})
    outcomes = await post(receiver, hook(receiver.url("/a")))

    assert (outcomes[0].verdict, outcomes[0].reason) == (Verdict.REJECTED, "redirect_refused")
    assert [h.path for h in receiver.hooks] == ["/a"]


async def test_slow_down_carries_the_pause(receiver: WebhookReceiver) -> None:
    """Retry-After reaches the core."""
    receiver.answer = Answer(status=429, headers={"Retry-After": "7"})
    outcomes = await post(receiver, hook(receiver.url("/a")))

    assert (outcomes[0].verdict, outcomes[0].retry_after) == (Verdict.THROTTLED, 7.0)
