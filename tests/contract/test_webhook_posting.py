"""How posts end at hosts that bend the rules, close early, hang or are many; over real sockets, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from adapters.webhook.connection import Connection
from adapters.webhook.dial import Dialer
from adapters.webhook.request import Origin
from adapters.webhook.webhook import Webhook
from relay.adapter import Verdict
from relay.testing.webhooks import Answer, WebhookReceiver
from tests.contract.webhook_side import NO_CONTENT, answering, hook, one_by_one, read_post, rough, said, webhook


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", (Verdict.DELIVERED, "")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + NO_CONTENT, (Verdict.DELIVERED, "")),
        (b"HTTP/1.0 201 Created\r\n\r\nsome words", (Verdict.DELIVERED, "")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\ncut short", (Verdict.DELIVERED, "")),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8bxx", (Verdict.DELIVERED, "")),
        (b"HTTP/1.1 410 Gone\r\nConnection: close\r\n\r\n", (Verdict.OPTED_OUT, "http_410")),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", (Verdict.RETRY, "http_503")),
        (b"HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", (Verdict.RETRY, "http_101")),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", (Verdict.UNKNOWN, "unreadable_answer")),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, (Verdict.UNKNOWN, "unreadable_answer")),
        (b"HTTP/1.1 20", (Verdict.UNKNOWN, "connection_lost")),
        (b"", (Verdict.UNKNOWN, "connection_lost")),
    ],
)
async def test_an_answer_means_what_its_status_says(answer: bytes, outcome: tuple[Verdict, str]) -> None:
    """However the answer is written, and whatever becomes of the connection after the status."""
    async with answering(answer) as server, webhook(f"127.0.0.1:{server.port}", timeout=2.0) as adapter:
        outcomes = await one_by_one(adapter, server, 1)

    assert outcomes == [outcome]


async def test_a_host_that_closes_between_posts_loses_none() -> None:
    """A kept connection that was closed meanwhile is not used again."""
    async with answering(NO_CONTENT) as server, webhook(f"127.0.0.1:{server.port}") as adapter:
        outcomes = []
        for _ in range(5):
            outcomes += await one_by_one(adapter, server, 1)
            await asyncio.sleep(0.02)

    assert outcomes == [(Verdict.DELIVERED, "")] * 5
    assert server.connections == 5


async def test_a_second_answer_is_nobodys() -> None:
    """A host that answers twice does not decide about the next post."""
    async with (
        answering(NO_CONTENT + b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", NO_CONTENT) as server,
        webhook(f"127.0.0.1:{server.port}") as adapter,
    ):
        outcomes = await one_by_one(adapter, server, 3)

    assert outcomes == [(Verdict.DELIVERED, "")] * 3


async def test_a_slow_answer_is_ended_in_time() -> None:
    """One byte now and then does not keep a post alive; a status that was heard counts."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await read_post(reader)).split()[1]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" if path == b"/body" else b"HTTP/1.1 200 OK\r\n")
        while True:
            await asyncio.sleep(0.05)
            writer.write(b"x")
            await writer.drain()

    async with rough(drip) as server, webhook(f"127.0.0.1:{server.port}", timeout=0.4) as adapter:
        outcomes = await adapter.send([hook(server.url("/head"), 0), hook(server.url("/body"), 1)])

    assert said(outcomes) == [(Verdict.UNKNOWN, "timeout"), (Verdict.DELIVERED, "")]


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n"])
async def test_a_host_that_hangs_up_at_once_stops_nobody_else(greeting: bytes) -> None:
    """Whether it hung up before or after the post was written is said of that post; the batch goes on."""

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    async with (
        rough(hang_up) as rude,
        rough(_no_content) as others,
        webhook(f"127.0.0.1:{rude.port}", f"127.0.0.1:{others.port}", start_within=5.0) as adapter,
    ):
        outcomes = await adapter.send([hook([rude, others][n % 2].url(), n) for n in range(40)])

    assert said(outcomes)[1::2] == [(Verdict.DELIVERED, "")] * 20
    assert {outcome.reason for outcome in outcomes[::2]} <= {
        "connection_failed",
        "connection_lost",
        "unreadable_answer",
    }
    assert all(
        (outcome.verdict is Verdict.RETRY) is (outcome.reason == "connection_failed") for outcome in outcomes[::2]
    )


async def test_a_connection_that_ends_before_the_post_is_written_carries_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection that was lost while it was handed over to the post is not written to, and nothing is in doubt."""
    dial = Dialer.dial

    async def lost(self: Dialer, origin: Origin, make: Callable[[], Connection]) -> Connection:
        connection = await dial(self, origin, make)
        connection.cut()
        return connection

    monkeypatch.setattr(Dialer, "dial", lost)
    async with answering(NO_CONTENT) as server, webhook(f"127.0.0.1:{server.port}") as adapter:
        outcomes = await one_by_one(adapter, server, 1)

    assert outcomes == [(Verdict.RETRY, "connection_failed")]
    assert server.posts == []


async def test_a_refused_connection_is_tried_again() -> None:
    """Nothing left, so nothing is in doubt."""
    async with answering() as server:
        url = server.url()
    async with webhook(url.removeprefix("http://").partition("/")[0]) as adapter:
        outcomes = await adapter.send([hook(url)])

    assert said(outcomes) == [(Verdict.RETRY, "connection_failed")]


async def test_a_cancelled_send_leaves_nothing_behind() -> None:
    """What the core gives up is cut off: its turns and connections are free for the next, and nobody waits for ever."""
    async with WebhookReceiver() as receiver:
        receiver.answer = Answer(then="hang")
        async with webhook(f"127.0.0.1:{receiver.port}", per_host=2, start_within=5.0, timeout=30.0) as adapter:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await adapter.send([hook(receiver.url("/a"), number) for number in range(6)])
            receiver.answer = Answer()
            outcomes = await adapter.send([hook(receiver.url("/a"), number) for number in range(6)])

    assert said(outcomes) == [(Verdict.DELIVERED, "")] * 6


async def test_those_who_wait_with_a_cancelled_send_are_served() -> None:
    """A turn that was given up goes to the next in line, of whatever batch."""
    async with WebhookReceiver() as receiver:
        receiver.answers["/hangs"] = Answer(then="hang")
        async with (
            webhook(f"127.0.0.1:{receiver.port}", per_host=1, start_within=5.0, timeout=30.0) as adapter,
            asyncio.TaskGroup() as tasks,
        ):
            first = tasks.create_task(adapter.send([hook(receiver.url("/hangs"), 0)]))
            await asyncio.sleep(0.1)
            second = tasks.create_task(adapter.send([hook(receiver.url("/a"), 1)]))
            await asyncio.sleep(0.05)
            first.cancel()

    assert said(second.result()) == [(Verdict.DELIVERED, "")]


async def test_a_silent_host_costs_one_post_at_a_time() -> None:
    """After a host answered nobody in time, one post finds out whether that is so, and the rest is handed back at once."""
    async with WebhookReceiver() as hole:
        hole.answer = Answer(then="hang")
        async with webhook(f"127.0.0.1:{hole.port}", timeout=0.3) as adapter:
            await adapter.send([hook(hole.url("/x"), 0)])
            outcomes = await adapter.send([hook(hole.url("/x"), number) for number in range(20)])
            hole.answer = Answer()
            await adapter.send([hook(hole.url("/x"), 0)])
            after = await adapter.send([hook(hole.url("/x"), number) for number in range(20)])

    assert said(outcomes) == [(Verdict.UNKNOWN, "timeout"), *[(Verdict.THROTTLED, "host_busy")] * 19]
    assert said(after) == [(Verdict.DELIVERED, "")] * 20


async def test_close_ends_what_waits() -> None:
    """At the deadline what is written is in doubt, and what waits certainly did not leave."""
    async with WebhookReceiver() as hole:
        hole.answer = Answer(then="hang")
        async with (
            webhook(f"127.0.0.1:{hole.port}", per_host=1, start_within=9.0) as adapter,
            asyncio.TaskGroup() as tasks,
        ):
            send = tasks.create_task(adapter.send([hook(hole.url("/x"), number) for number in range(2)]))
            await asyncio.sleep(0.1)
            await adapter.close(deadline=0.1)

    assert said(send.result()) == [(Verdict.UNKNOWN, "connection_lost"), (Verdict.RETRY, "adapter_closed")]


async def test_one_black_hole_among_many_slows_nobody() -> None:
    """Sixty hosts are told as fast beside one that hangs as without it: its posts come back and hold nothing."""
    async with WebhookReceiver() as hole, rough(_no_content, host="0.0.0.0") as others:
        hole.answer = Answer(then="hang")
        names = [f"127.0.0.{number}:{others.port}" for number in range(1, 61)]
        async with webhook(f"127.0.0.1:{hole.port}", f"127.0.0.0/24:{others.port}", timeout=4.0) as adapter:
            await adapter.send([hook(hole.url("/x"))])
            took = await _told(adapter, names, hole=hole.url("/x"))

    assert sum(seconds > 3.9 for seconds, _ in took) == 1, "only the batch with the probe waits for the host"
    assert sorted(seconds for seconds, _ in took)[-2] < 2.0
    assert all(outcomes[1:] == [(Verdict.DELIVERED, "")] * 12 for _, outcomes in took)
    assert [outcomes[0] for _, outcomes in took].count((Verdict.THROTTLED, "host_busy")) == 19


async def _told(adapter: Webhook, names: Sequence[str], *, hole: str) -> list[tuple[float, list[tuple[Verdict, str]]]]:
    """Send twenty batches at once, each to twelve of the hosts and to the black hole; return how long each took."""
    loop = asyncio.get_running_loop()

    async def send(number: int) -> tuple[float, list[tuple[Verdict, str]]]:
        some = [f"http://{names[(number * 12 + n) % len(names)]}/a" for n in range(12)]
        started = loop.time()
        outcomes = await adapter.send([hook(url, number * 13 + n) for n, url in enumerate([hole, *some])])
        return loop.time() - started, said(outcomes)

    async with asyncio.TaskGroup() as tasks:
        sends = [tasks.create_task(send(number)) for number in range(20)]
    return [done.result() for done in sends]


async def _no_content(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_post(reader)
        writer.write(NO_CONTENT)
