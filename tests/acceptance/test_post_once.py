"""One alert, however often and however badly it is posted."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from tests.acceptance.agency_side import Agency, Document, alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge
from tests.acceptance.relay_side import Relay, until

PEOPLE = 20


async def _hang_up(relay: Relay, document: Document, *, part: float) -> None:
    """Send a part of a POST (1.0: all of it) and hang up without reading an answer."""
    body = orjson.dumps(document)
    host, _, port = relay.url.removeprefix("http://").partition(":")
    head = (
        f"POST /v1/alerts HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {relay.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode() + body[: int(len(body) * part)])
    await writer.drain()
    writer.transport.abort()


async def test_twenty_at_once_are_one(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Of 20 identical POSTs at the same time one is accepted and 19 are told that it is; people are told once."""
    relay = make_relay(channels={"console": console()})
    async with on_duty(relay, people=PEOPLE) as agency:
        document = alert(1)
        async with asyncio.TaskGroup() as tasks:
            posts = [tasks.create_task(agency.post(document)) for _ in range(20)]
        answers = [post.result() for post in posts]
        later = await agency.post(document)
        found = await judge(agency, {1: answers[0].body["id"]}, [tmp_path / "sms.sent"], people=PEOPLE, kinds=("sms",))

    assert sorted(answer.status for answer in answers) == [200] * 19 + [202]
    assert len({answer.body["id"] for answer in answers}) == 1
    assert (later.status, later.body["duplicate"]["of"]) == (200, answers[0].body["id"])
    assert found.once, found


async def test_client_that_hangs_up_leaves_nothing_half_done(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Half a body is nothing; a whole one may be an alert or nothing, and the next POST of it settles which."""
    relay = make_relay(channels={"console": console()})
    await relay.start()
    documents = {number: alert(number) for number in range(12)}
    async with Agency(relay) as agency:
        await agency.people(PEOPLE)
        for number, document in documents.items():
            await _hang_up(relay, document, part=0.5 if number < 4 else 1.0)
        answers = {number: await agency.post(document) for number, document in documents.items()}
        ids = {number: answer.body["id"] for number, answer in answers.items()}
        found = await judge(agency, ids, [tmp_path / "sms.sent"], people=PEOPLE, kinds=("sms",))
        listed = await agency.ask("GET", "/v1/alerts?limit=100")

    assert {answers[number].status for number in range(4)} == {202}
    assert {answer.status for answer in answers.values()} <= {200, 202}
    assert len(listed.body["alerts"]) == len(documents)
    assert found.once, found


async def test_client_that_hangs_up_after_the_body_is_heard(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """A client that lost its link while it waited for the answer finds its alert accepted, not half accepted."""
    relay = make_relay(channels={"console": console()})
    async with on_duty(relay, people=PEOPLE) as agency:
        document = alert(1)
        await _send_and_leave_at_once(relay, document)

        async def known() -> list[Document]:
            listed = await agency.get("/v1/alerts")
            return listed["alerts"] if listed else []

        [row] = await until(known, within=10, why="the alert is listed")
        again = await agency.post(document)
        found = await judge(agency, {1: row["id"]}, [tmp_path / "sms.sent"], people=PEOPLE, kinds=("sms",))

    assert (again.status, again.body["id"]) == (200, row["id"])
    assert found.once, found


async def _send_and_leave_at_once(relay: Relay, document: Document) -> None:
    """Send a whole POST and close in order, so that the body arrives although nobody waits for the answer."""
    body = orjson.dumps(document)
    host, _, port = relay.url.removeprefix("http://").partition(":")
    head = (
        f"POST /v1/alerts HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {relay.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode() + body)
    writer.close()
    await writer.wait_closed()
