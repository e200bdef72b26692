"""A bind that is kept up, over real sockets: TLS, pauses between attempts, names that cannot be found."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
import trustme
from structlog.testing import LogCapture

from adapters.sms.codec import Framer, decode, encode
from adapters.sms.link import Link
from adapters.sms.pdu import RESPONSE, BindResp, Command, Pdu
from adapters.sms.settings import Settings


@asynccontextmanager
async def centre(context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Run a centre that accepts every bind and answers every life sign; yield its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer = Framer()
        while octets := await reader.read(4096):
            for frame in framer.feed(octets):
                pdu = decode(frame)
                body = BindResp(system_id="smsc") if pdu.command == Command.BIND_TRANSCEIVER else None
                writer.write(encode(Pdu(pdu.command | RESPONSE, pdu.sequence, body)))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def kept(log: LogCapture, **settings: object) -> AsyncIterator[Link]:
    """Keep a bind up and yield its link."""
    base: dict[str, object] = {"host": "127.0.0.1", "system_id": "chapar", "password": "secret", "reconnect": [0.01]}
    link = Link(
        Settings.model_validate({**base, **settings}),
        deliver=lambda _message, ack: ack(0),
        log=structlog.wrap_logger(None, processors=[log]),
        jitter=lambda: 0.0,
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(link.run())
        async with asyncio.timeout(5):
            await link.tried.wait()
        yield link
        if link.session is not None:
            await link.session.unbind()
        running.cancel()


@pytest.fixture
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """A server's TLS context for ``name``."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_tls(authority: trustme.CA, tmp_path: Path) -> None:
    """With ``tls`` the bind is made over TLS and the certificate is checked against the authority given."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trust = str(tmp_path / "ca.pem")
    context = server_context(authority, "127.0.0.1")
    async with centre(context) as port, kept(LogCapture(), port=port, tls=True, tls_ca_file=trust) as link:
        bound = link.session is not None and link.session.bound

    assert bound


@pytest.mark.parametrize("name", ["127.0.0.1", "other.example"])
async def test_untrusted_certificate_gets_no_password(authority: trustme.CA, tmp_path: Path, name: str) -> None:
    """A certificate of an unknown authority, or for another name, ends the attempt before the bind."""
    log = LogCapture()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trust = {"tls_ca_file": str(tmp_path / "ca.pem")} if name == "other.example" else {}
    async with centre(server_context(authority, name)) as port, kept(log, port=port, tls=True, **trust) as link:
        session, reason, fault = link.session, link.reason, link.fault

    assert session is None
    assert reason == "not_connected"
    assert "certificate verify failed" in fault
    assert "secret" not in str(log.entries)


async def test_missing_secret_file_is_said(tmp_path: Path) -> None:
    """A password file that cannot be read is named to the operator; the attempts go on."""
    missing = tmp_path / "none"
    async with centre() as port, kept(LogCapture(), port=port, password="", password_file=str(missing)) as link:
        first = link.fault
        missing.write_text("secret", encoding="utf-8")
        async with asyncio.timeout(5):
            while link.session is None:
                await asyncio.sleep(0.01)

    assert "No such file" in first


async def test_pauses_grow_and_end_with_success() -> None:
    """Failing attempts are apart by the operator's pauses, the last repeated; jitter is added to each."""
    log = LogCapture()
    async with kept(log, port=1, reconnect=[0.01, 0.02, 0.04]) as link:
        begun = asyncio.get_running_loop().time()
        async with asyncio.timeout(5):
            while len(log.entries) < 5:
                await asyncio.sleep(0.005)
        took = asyncio.get_running_loop().time() - begun
        session = link.session

    assert session is None
    assert took >= 0.01 + 0.02 + 0.04 + 0.04 - 0.02
    assert {entry["reason"] for entry in log.entries} == {"not_connected"}


async def test_host_that_is_no_name() -> None:
    """A host name that cannot even be written is a fault to report, not a crash."""
    async with kept(LogCapture(), host="a" * 70 + ".example", port=1) as link:
        fault = link.fault

    assert fault
