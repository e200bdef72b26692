"""Where the webhook adapter goes, how much it asks of one host, and how it ends."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from relay.adapter import Verdict
from relay.directory.egress import Guard
from relay.errors import ProviderDown
from relay.testing.webhooks import Answer, WebhookReceiver
from tests.contract.webhook_side import SECRET, hook, post, webhook


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A receiver on loopback that knows the secret."""
    async with WebhookReceiver(secrets={"*": SECRET}) as running:
        yield running


async def test_blocked_target_is_never_dialled(receiver: WebhookReceiver) -> None:
    """A private target that no entry allows is refused before a packet leaves."""
    async with webhook() as adapter:
        outcomes = await adapter.send([hook(receiver.url("/a"))])

    assert (outcomes[0].verdict, outcomes[0].reason) == (Verdict.REJECTED, "blocked_target")
    assert receiver.connections == 0


async def test_name_that_turned_private_is_blocked(receiver: WebhookReceiver) -> None:
    """A URL that passed at registration is judged again where it leads (BI-215)."""

    class Trusting(Guard):
        def check_url(self, url: str) -> None:
            """Pass: as if the name had been public when it was registered."""

    async with webhook(guard=Trusting()) as adapter:
        by_name = await adapter.send([hook(f"http://localhost:{receiver.port}/a")])
        by_address = await adapter.send([hook(receiver.url("/a"))])

    assert [(o.verdict, o.reason) for o in [*by_name, *by_address]] == [(Verdict.REJECTED, "blocked_target")] * 2
    assert receiver.connections == 0


async def test_localhost_entry_is_dialled(receiver: WebhookReceiver) -> None:
    """``egress.allow = ["localhost:PORT"]`` is enough for a test set-up."""
    async with webhook(f"localhost:{receiver.port}") as adapter:
        outcomes = await adapter.send([hook(f"http://localhost:{receiver.port}/a")])

    assert outcomes[0].verdict is Verdict.DELIVERED


async def test_unknown_name_is_tried_again() -> None:
    """A name that cannot be found now may be found later."""
    async with webhook() as adapter:
        outcomes = await adapter.send([hook("https://nowhere.invalid/a")])

    assert (outcomes[0].verdict, outcomes[0].reason) == (Verdict.RETRY, "name_not_found")


async def test_bad_uri_is_refused() -> None:
    """A URL that was never registered properly is refused with its reason."""
    async with webhook() as adapter:
        outcomes = await adapter.send([hook("ftp://hook.example/")])

    assert (outcomes[0].verdict, outcomes[0].reason) == (Verdict.REJECTED, "bad_uri")


async def test_proxy_settings_are_ignored(receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy variables of the machine do not reroute alerts (BI-222)."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    outcomes = await post(receiver, hook(receiver.url("/a")))

    assert outcomes[0].verdict is Verdict.DELIVERED


async def test_cookies_are_not_kept(receiver: WebhookReceiver) -> None:
    """What one answer sets is not told to the next recipient."""
    receiver.answer = Answer(headers={"Set-Cookie": "session=1"})
    async with webhook(f"127.0.0.1:{receiver.port}") as adapter:
        await adapter.send([hook(receiver.url("/a"))])
        await adapter.send([hook(receiver.url("/b"))])

    assert "Cookie" not in receiver.hooks[1].headers


async def test_connections_are_reused(receiver: WebhookReceiver) -> None:
    """Many posts to one host share the few connections it is given."""
    async with webhook(f"127.0.0.1:{receiver.port}", start_within=5.0) as adapter:
        for start in range(0, 96, 32):
            await adapter.send([hook(receiver.url("/a"), n) for n in range(start, start + 32)])

    assert len(receiver.hooks) == 96
    assert receiver.connections <= 8
    assert receiver.most_under_way <= 8


async def test_black_hole_does_not_hold_the_others(receiver: WebhookReceiver) -> None:
    """What cannot start in time at a host that hangs is handed back; other hosts are served meanwhile."""
    async with WebhookReceiver() as hole:
        hole.answer = Answer(then="hang")
        items = [hook(hole.url("/x"), n) for n in range(20)] + [hook(receiver.url("/a"), 20 + n) for n in range(5)]
        allow = [f"127.0.0.1:{r.port}" for r in (hole, receiver)]
        async with webhook(*allow, timeout=1.0, start_within=0.2) as adapter:
            outcomes = await adapter.send(items)

    assert [o.verdict for o in outcomes[20:]] == [Verdict.DELIVERED] * 5
    assert [o.reason for o in outcomes[:20]].count("timeout") == 8
    assert [(o.verdict, o.reason) for o in outcomes[:20]].count((Verdict.THROTTLED, "host_busy")) == 12


async def test_endless_answer_is_cut_off(receiver: WebhookReceiver) -> None:
    """Of an answer 64 KiB are read; the status counts and the connection is given up."""
    receiver.answer = Answer(body=b"x" * 4 * 1024 * 1024)
    async with webhook(f"127.0.0.1:{receiver.port}") as adapter:
        outcomes = [*await adapter.send([hook(receiver.url("/a"))]), *await adapter.send([hook(receiver.url("/b"))])]

    assert [o.verdict for o in outcomes] == [Verdict.DELIVERED] * 2
    assert receiver.connections == 2


async def test_tls_is_verified(tmp_path: Path) -> None:
    """A certificate of an authority that nobody trusts stops the post before the body leaves."""
    async with tls_receiver(trustme.CA()) as receiver, webhook(f"localhost:{receiver.port}") as adapter:
        outcomes = await adapter.send([hook(f"https://localhost:{receiver.port}/a")])

    assert (outcomes[0].verdict, outcomes[0].reason) == (Verdict.RETRY, "tls_failed")
    assert not receiver.hooks


async def test_private_authority_can_be_added(tmp_path: Path) -> None:
    """``ca_file`` makes an organisation's own certificates count."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with (
        tls_receiver(authority) as receiver,
        webhook(f"localhost:{receiver.port}", ca_file=str(tmp_path / "ca.pem")) as adapter,
    ):
        outcomes = await adapter.send([hook(f"https://localhost:{receiver.port}/a")])

    assert outcomes[0].verdict is Verdict.DELIVERED


@asynccontextmanager
async def tls_receiver(authority: trustme.CA) -> AsyncIterator[WebhookReceiver]:
    """Run a receiver with a certificate for localhost, signed by ``authority``."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    async with WebhookReceiver(tls=context) as receiver:
        yield receiver


async def test_closed_adapter_takes_nothing(receiver: WebhookReceiver) -> None:
    """After close the whole batch certainly did not leave."""
    async with webhook() as adapter:
        await adapter.close(deadline=1.0)

        with pytest.raises(ProviderDown, match="adapter_closed"):
            await adapter.send([hook(receiver.url("/a"))])


async def test_close_lets_posts_finish(receiver: WebhookReceiver) -> None:
    """What is in flight gets its answer within the deadline."""
    receiver.answer = Answer(delay=0.1)
    async with webhook(f"127.0.0.1:{receiver.port}") as adapter, asyncio.TaskGroup() as tasks:
        send = tasks.create_task(adapter.send([hook(receiver.url("/a"))]))
        await asyncio.sleep(0.02)
        await adapter.close(deadline=5.0)

        assert send.done()
    assert send.result()[0].verdict is Verdict.DELIVERED
