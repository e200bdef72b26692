"""The listener: TLS, ports that are taken, and how many may connect."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from relay.api.protocol import Connections
from relay.api.server import Listener, tls_context
from relay.errors import ConfigError
from relay.settings import Api
from tests.integration.api.house import relay_house


async def test_tls(tmp_path: Path) -> None:
    """With a certificate the relay speaks HTTPS and asks browsers to keep to it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    certificate_file, key_file = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    async with relay_house(tmp_path / "data", tls_cert=certificate_file, tls_key=key_file) as house:
        async with house.http.get(f"https://127.0.0.1:{house.port}/healthz", ssl=trust) as got:
            assert got.status == 200
            assert "max-age" in got.headers["Strict-Transport-Security"]
        assert house.server.url.startswith("https://")


async def test_one_address_cannot_take_all_connections(tmp_path: Path) -> None:
    """Connections over the bound are refused, and one that ends makes room (BI-036)."""
    async with relay_house(tmp_path / "data", connections=Connections(most=100, per_address=5)) as house:
        idle = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(5)]
        refused = await house.raw(b"GET /healthz HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n")
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()
        async with asyncio.timeout(5):
            while not (await house.raw(b"GET /healthz HTTP/1.1\r\nHost: r\r\nConnection: close\r\n\r\n")):
                await asyncio.sleep(0.05)

    assert refused == b""


async def test_who_connected_before_the_end_is_answered(tmp_path: Path) -> None:
    """A request that comes on a connection taken just before the stop is answered; once it was cut off.

    The old end closed each connection on which no request was being answered, those too that were a moment old.
    """
    async with relay_house(tmp_path / "data") as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        idle = await asyncio.open_connection("127.0.0.1", house.port)
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            stopping = tasks.create_task(house.server.stop())
            await asyncio.sleep(0.1)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n")
            answer = await reader.read()
            await stopping
        silent = await idle[0].read()
        for one in (writer, idle[1]):
            one.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert silent == b""  # nobody waits for ever


async def test_a_taken_port_is_said_clearly(tmp_path: Path) -> None:
    """A port that somebody else has is an error of the configuration, in words."""
    async with relay_house(tmp_path / "data") as house:
        second = Listener(house.services)
        with pytest.raises(ConfigError, match="Another relay may be running"):
            await second.start()


def test_half_a_certificate() -> None:
    """A certificate without its key is refused, and so are files that are none."""
    with pytest.raises(ConfigError, match="belong together"):
        tls_context(Api(tls_cert="cert.pem"))
    with pytest.raises(ConfigError, match="cannot be used"):
        tls_context(Api(tls_cert="nowhere.pem", tls_key="nowhere.pem"))
