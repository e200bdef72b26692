"""Where a request comes from."""

from __future__ import annotations

import pytest

from relay.api.remote import Proxies


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ((), "198.51.100.1", ["203.0.113.9"], "198.51.100.1"),
        (("10.0.0.5",), "10.0.0.5", ["203.0.113.9"], "203.0.113.9"),
        (("10.0.0.0/8",), "10.0.0.5", ["203.0.113.9, 10.1.1.1"], "203.0.113.9"),
        (("10.0.0.0/8",), "10.0.0.5", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        (("10.0.0.0/8",), "10.0.0.5", ["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
        (("10.0.0.5",), "10.0.0.5", ["<script>"], "10.0.0.5"),
        (("::1",), "::1", [], "::1"),
    ],
)
def test_the_client(trusted: tuple[str, ...], peer: str, forwarded: list[str], client: str) -> None:
    """Only what a trusted proxy says is believed, and the nearest such word counts."""
    assert Proxies(trusted).client(peer, forwarded) == client


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "local"),
    [
        ((), "127.0.0.1", [], True),
        ((), "::1", [], True),
        ((), "::ffff:127.0.0.1", [], True),
        ((), "127.0.0.1", ["203.0.113.9"], False),
        (("127.0.0.1",), "127.0.0.1", ["203.0.113.9"], False),
        ((), "10.0.0.1", [], False),
        ((), None, [], False),
    ],
)
def test_this_machine(trusted: tuple[str, ...], peer: str | None, forwarded: list[str], local: bool) -> None:
    """Whoever comes through a proxy on this machine is not on this machine."""
    assert Proxies(trusted).is_local(peer, forwarded) is local
