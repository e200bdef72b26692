"""The webhook adapter keeps the adapter contract, over a real receiver on loopback."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
import trustme
from standardwebhooks.webhooks import Webhook as Oracle
from structlog.testing import LogCapture

from adapters.webhook.webhook import Webhook, WebhookSettings
from relay.adapter import Item, Kind, Outcome, Services, Verdict
from relay.clock import SystemClock
from relay.directory.egress import Guard
from relay.errors import ProviderDown
from relay.testing.contract import AdapterContract
from relay.testing.items import make_content, make_item
from relay.testing.provider import Provider, Trouble
from relay.testing.webhooks import Answer, WebhookReceiver

SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes....").decode()
ANSWERS = {
    Trouble.REFUSES: Answer(status=422),
    Trouble.HANGS: Answer(then="hang"),
    Trouble.RESETS: Answer(then="reset"),
    Trouble.SLOW_DOWN: Answer(status=429, headers={"Retry-After": "7"}),
}


class Receivers(Provider):
    """One receiver; each address is another path of it."""

    secret = SECRET

    def __init__(self, receiver: WebhookReceiver) -> None:
        self.receiver = receiver
        self.settings = {"timeout": 1.0, "start_within": 5.0}
        self.guard = Guard([f"127.0.0.1:{receiver.port}"])

    def address(self, number: int) -> str:
        return self.receiver.url(f"/hook/{number}")

    def texts(self) -> Sequence[str]:
        return [hook.text for hook in self.receiver.hooks if hook.signature_ok]

    async def make(self, trouble: Trouble, *, only: str = "") -> None:
        if trouble is Trouble.DOWN:
            await self.receiver.stop()
        elif only:
            self.receiver.answers["/hook/" + only.rpartition("/")[2]] = ANSWERS[trouble]
        else:
            self.receiver.answer = ANSWERS[trouble]


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


@asynccontextmanager
async def webhook(*allow: str, guard: object = None, **settings: object) -> AsyncIterator[Webhook]:
    """Open a webhook adapter that may reach the targets ``allow``."""
    log = structlog.wrap_logger(None, processors=[LogCapture()])
    egress = guard if isinstance(guard, Guard) else Guard(allow)
    adapter = Webhook(WebhookSettings.model_validate(settings), Services(channel="webhook", log=log, egress=egress))
    await adapter.open()
    try:
        yield adapter
    finally:
        await adapter.close(deadline=1.0)


def hook(address: str, number: int = 0, **changes: object) -> Item:
    """Return a delivery to ``address``."""
    item = make_item(number, kind=Kind.WEBHOOK, address=address, secret=SECRET)
    return replace(item, **changes)  # type: ignore[arg-type]


async def post(receiver: WebhookReceiver, *items: Item, **settings: object) -> Sequence[Outcome]:
    """Send ``items`` with an adapter that may reach ``receiver``."""
    async with webhook(f"127.0.0.1:{receiver.port}", **settings) as adapter:
        return await adapter.send(items)


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
