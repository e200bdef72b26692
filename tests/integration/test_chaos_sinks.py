"""The fake providers of the fault campaign: what their logs call taken was taken, and on disk before the answer."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest

from tests.chaos.log import read
from tests.chaos.moods import Mood
from tests.chaos.providers import Provider

POST = orjson.dumps(
    {
        "data": {
            "alert_id": "a",
            "recipient": "p1",
            "status": "Actual",
            "msgType": "Alert",
            "headline": "Flood Q00001A",
            "event": "Flood",
            "text": "Flood",
        }
    }
)
MAIL = "Subject: Flood Q00001A\r\nMessage-ID: <leg-3@relay.example>\r\n\r\nMove to higher ground.\r\n"


@pytest.fixture
async def hooks(tmp_path: Path) -> AsyncIterator[Provider]:
    provider = Provider("webhook", tmp_path, seed=1)
    await provider.start()
    yield provider
    await provider.end()


@pytest.fixture
async def mails(tmp_path: Path) -> AsyncIterator[Provider]:
    provider = Provider("email", tmp_path, seed=1)
    await provider.start()
    yield provider
    await provider.end()


async def post(provider: Provider, identity: str) -> int:
    """Return the status; 0: the connection broke or nobody answered."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.7)) as http:
            url = f"http://127.0.0.1:{provider.port}/hook/p1"
            async with http.post(url, data=POST, headers={"webhook-id": identity}) as response:
                return response.status
    except (aiohttp.ClientError, TimeoutError):
        return 0


@pytest.mark.parametrize(
    ("mood", "status", "took"),
    [
        (Mood.CALM, 200, True),
        (Mood.THROTTLE, 429, False),
        (Mood.FAILS, 503, False),
        (Mood.HANG, 0, True),
        (Mood.RESET, 0, True),
        (Mood.REFUSE, 0, None),
    ],
)
async def test_webhook_moods(hooks: Provider, mood: Mood, status: int, took: bool | None) -> None:
    """Each mood answers as it says, and the log knows whether the message counts; a copy is known as one."""
    await hooks.feel(mood)
    seen = [await post(hooks, "one"), await post(hooks, "one")]
    await hooks.feel(Mood.CALM)
    logged = [(line["took"], line["again"]) for line in read(hooks.log)]

    assert seen == [status, status]
    assert logged == ([] if took is None else [(took, False), (took, took)])


async def test_a_share_of_the_messages(hooks: Provider) -> None:
    """With a share only some feel the mood."""
    await hooks.feel(Mood.FAILS, share=0.5)
    seen = {await post(hooks, f"n{n}") for n in range(30)}

    assert seen == {200, 503}


def mail(port: int) -> int:
    """Return the status of one mail; 0: the connection broke."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=2) as smtp:
            smtp.sendmail("warnings@meteo.example", ["p1@village.example"], MAIL)
    except smtplib.SMTPDataError as error:
        return error.smtp_code
    except (OSError, smtplib.SMTPException):
        return 0
    return 250


@pytest.mark.parametrize(
    ("mood", "status", "took"),
    [(Mood.CALM, 250, True), (Mood.FAILS, 451, False), (Mood.RESET, 0, True), (Mood.REFUSE, 0, None)],
)
async def test_mail_moods(mails: Provider, mood: Mood, status: int, took: bool | None) -> None:
    """A foreign client sees the mood; the log has who, which delivery, and the words."""
    await mails.feel(mood)
    seen = await asyncio.to_thread(mail, mails.port)
    await mails.feel(Mood.CALM)
    logged = [(line["took"], line["to"], line["delivery"], line["text"][:13]) for line in read(mails.log)]

    assert seen == status
    assert logged == ([] if took is None else [(took, "p1@village.example", "leg-3", "Flood Q00001A")])
