"""The webhook receiver of the demo and the tests is a real one, and it can say no."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import aiohttp
import pytest
from standardwebhooks.webhooks import Webhook as Oracle

from relay.testing.clocks import START
from relay.testing.webhooks import Answer, WebhookReceiver, is_signed

SECRET = "whsec_" + b64encode(b"k" * 32).decode()


def headers(body: str, *, secret: str = SECRET) -> dict[str, str]:
    """Return headers that the reference library signs."""
    return {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(START.timestamp())),
        "webhook-signature": Oracle(secret).sign("m1", datetime.fromtimestamp(START.timestamp(), UTC), body),
    }


def test_check_agrees_with_the_reference_library() -> None:
    """What the reference library signs is right; a changed body, id or time is not."""
    signed = headers("{}")

    assert is_signed(signed, b"{}", secret=SECRET)
    assert not is_signed(signed, b"{ }", secret=SECRET)
    assert not is_signed({**signed, "webhook-id": "m2"}, b"{}", secret=SECRET)
    assert not is_signed({**signed, "webhook-timestamp": "1"}, b"{}", secret=SECRET)
    assert not is_signed({**signed, "webhook-signature": "v2," + signed["webhook-signature"][3:]}, b"{}", secret=SECRET)
    assert not is_signed({}, b"{}", secret=SECRET)


async def test_records_and_answers() -> None:
    """What arrives is kept with the verdict on its signature; the answer is as programmed, by path."""
    async with WebhookReceiver(secrets={"/a": SECRET}) as receiver, aiohttp.ClientSession() as http:
        receiver.answers["/b"] = Answer(status=410)
        statuses = []
        for path in ("/a", "/b"):
            async with http.post(receiver.url(path), data=b"{}", headers=headers("{}")) as response:
                statuses.append(response.status)

    assert statuses == [200, 410]
    assert [(h.path, h.webhook_id, h.signature_ok, h.body) for h in receiver.hooks] == [
        ("/a", "m1", True, b"{}"),
        ("/b", "m1", None, b"{}"),
    ]


async def test_keeps_no_more_than_it_should() -> None:
    """A long run does not fill the memory."""
    async with WebhookReceiver(keep=2) as receiver, aiohttp.ClientSession() as http:
        for number in range(4):
            async with http.post(receiver.url(f"/{number}")):
                pass

    assert [h.path for h in receiver.hooks] == ["/2", "/3"]


async def test_cuts_the_connection_when_told() -> None:
    """A receiver can die after it has read the message."""
    async with WebhookReceiver() as receiver, aiohttp.ClientSession() as http:
        receiver.answer = Answer(then="reset")

        with pytest.raises(aiohttp.ClientConnectionError):
            await http.post(receiver.url("/"), data=b"x")
    assert [h.body for h in receiver.hooks] == [b"x"]
