"""The SSRF guard: rows BI-209 to BI-221 of the bad-input corpus, and what operators allow."""

from __future__ import annotations

import socket

import pytest

from relay.adapter import ChecksNames, EgressGuard
from relay.directory.egress import Guard
from relay.errors import BlockedTarget, ConfigError, InvalidInput

BLOCKED_URLS = [
    # BI-209
    *("http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0.0.0.0/", "http://0/", "https://localhost/"),
    *("https://127.0.0.1/", "https://[::1]/", "https://0/", "https://LOCALHOST/", "https://a.localhost/"),
    # BI-210
    *("http://2130706433/", "http://017700000001/", "http://127.1/", "http://0x7f.1/", "https://0x7f000001/"),
    *("https://0177.0.0.1/", "https://127.0.1/", "https://1.2.3.4.5/", "https://0x/", "https://example.0x1f/"),
    *("https://008.8.8.8/", "https://256.1.1.1/", "https://8.8.8.0x8/"),
    # BI-211
    *("http://169.254.169.254/latest/", "http://metadata.google.internal/", "http://100.100.100.200/"),
    *("http://[fd00:ec2::254]/", "https://metadata.google.internal/", "https://169.254.169.254/"),
    # BI-212
    *("http://[::ffff:127.0.0.1]/", "https://[::ffff:a9fe:a9fe]/", "https://[::127.0.0.1]/", "https://[::ffff:0:0]/"),
    # BI-214
    *("https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/", "https://198.18.0.1/"),
    *("https://192.0.0.8/", "https://192.88.99.1/", "https://240.0.0.1/", "https://255.255.255.255/"),
    *("https://224.0.0.1/", "https://[fe80::1]/", "https://[fec0::1]/", "https://[fc00::1]/", "https://[ff02::1]/"),
    *("https://[5f00::1]/", "https://[3fff::1]/", "https://[2001:db8::1]/", "https://[2002:7f00:1::]/"),
    *("https://[64:ff9b::7f00:1]/", "https://[2001:0:1::1]/"),
    # names that are private by their form
    *("https://intranet/", "https://printer.local/", "https://nas.lan/", "https://gw.home.arpa/"),
    # BI-217
    *(f"https://hook.example:{port}/" for port in (22, 25, 80, 6379, 8080, 11211, 0, 65536, 99999999999)),
]
BAD_URLS = [
    # BI-219
    *("https://user:pw@host.example/", "https://good.example@evil.example/", "https://evil.example#@good.example"),
    *("https://@hook.example/", "https://user@hook.example/", "https://hook.example/#part"),
    # BI-221
    *(f"https://{'a' * 300}/", f"https://{'a.' * 150}example/", f"https://{'a' * 64}.example/"),
    *("https://hook.example./", "https://１２７.０.０.１/", "https://hook\u00ad.example/", "https://ｈook.example/"),
    *("https://①②⑦.⓪.⓪.①/", "https://hook。example/"),
    # not https, not a URL, not one line
    *("http://hook.example/", "ftp://hook.example/", "file:///etc/passwd", "gopher://hook.example/", "//hook.example/"),
    *("hook.example", "", "https://", "https:///path", "https:hook.example", "https:\\\\hook.example", "javascript:1"),
    *("https://hook.example\\@evil.example/", "https://hook.example/\r\nX: y", "https://hook.example/ x", "\x00"),
    *("https://ex%61mple.example/", "https://[fe80::1%25eth0]/", "https://-hook.example/", "https://hook..example/"),
    *("https://ho,ok.example/", "https://[::1/", "https://hook.example/" + "a" * 2048, "https://hook.example/\u202e"),
]
GOOD_URLS = [
    *("https://hook.example/", "https://hook.example:443/a?b=c", "https://HOOK.Example/path", "https://8.8.8.8/"),
    *(
        "https://[2606:4700::1111]/",
        "https://a_b.hook.example/",
        "https://xn--e1afmkfd.xn--p1ai/",
        "https://құтқару.example/",
    ),
    *("HTTPS://hook.example/", "https://1.hook.example/", "https://hook.example/%D0%BA", "https://hook.example/көмек"),
]


def slug_of(guard: Guard, url: str) -> str:
    """Return the slug that ``url`` is refused with, or "ok"."""
    try:
        guard.check_url(url)
    except InvalidInput as error:
        return error.slug if error.status == 422 else str(error.status)
    return "ok"


def info(address: str, port: int) -> tuple[object, ...]:
    """Return the connection that a client is about to make."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    rest: tuple[object, ...] = (0, 0) if ":" in address else ()
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, *rest))


def connects(guard: Guard, address: str, port: int) -> bool:
    """Return whether the guard makes a socket for this connection."""
    try:
        guard.socket_factory(info(address, port)).close()
    except BlockedTarget:
        return False
    return True


def test_is_the_guard_of_the_contract() -> None:
    """Adapters get both judgements: of URLs and sockets, and of names."""
    guard: EgressGuard = Guard()

    assert isinstance(guard, ChecksNames)


@pytest.mark.parametrize("url", BLOCKED_URLS)
def test_private_targets_are_blocked(url: str) -> None:
    """No spelling of a private host or a service port is registered (BI-209 to BI-217)."""
    assert slug_of(Guard(), url) == "blocked-target"


@pytest.mark.parametrize("url", BAD_URLS)
def test_unclear_urls_are_refused(url: str) -> None:
    """A URL that two readers could read differently is refused (BI-219, BI-221)."""
    assert slug_of(Guard(), url) == "bad-uri"


@pytest.mark.parametrize("url", GOOD_URLS)
def test_ordinary_urls_are_accepted(url: str) -> None:
    """Public https targets need no permission, also with names in any script."""
    assert slug_of(Guard(), url) == "ok"


def test_what_passed_before_lets_nothing_else_pass() -> None:
    """Hosts are remembered once they passed; that opens the door for no other host and no strange URL at theirs."""
    guard = Guard()
    for url in [*GOOD_URLS, "https://hook.example/a", "https://evil.example/a"]:
        guard.check_url(url)
    for url in [*BAD_URLS, *BLOCKED_URLS]:
        with pytest.raises(InvalidInput):
            guard.check_url(url)

    assert len(guard._passed) <= len(GOOD_URLS) + 2


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("127.0.0.1:8443", "http://127.0.0.1:8443/hook"),
        ("127.0.0.1:8443", "https://localhost:8443/hook"),
        ("localhost:8443", "http://localhost:8443/hook"),
        ("localhost:8443", "http://127.0.0.1:8443/hook"),
        ("[::1]:8443", "http://[::1]:8443/"),
        ("10.1.0.0/16:80", "http://10.1.2.3/"),
        ("[fd12::/16]:443", "https://[fd12::9]/"),
        ("siren.lan:8080", "http://siren.lan:8080/on"),
        ("Siren:8080", "http://siren:8080/on"),
        ("hook.example:80", "http://hook.example/"),
        ("10.1.0.0/16:8080", "http://siren.mchs.example:8080/"),  # where the name leads is judged at the connection
    ],
)
def test_allowed_targets_are_accepted(allow: str, url: str) -> None:
    """egress.allow permits http, private hosts and other ports for exactly what it names."""
    assert slug_of(Guard([allow]), url) == "ok"


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("127.0.0.1:8443", "http://127.0.0.1:8444/"),
        ("127.0.0.1:8443", "http://127.0.0.2:8443/"),
        ("10.1.0.0/16:80", "http://10.2.0.1/"),
        ("siren.lan:8080", "http://other.lan:8080/"),
        ("siren.lan:8080", "http://a.siren.lan:8080/"),
        ("127.0.0.1:80", "http://2130706433/"),
        ("127.0.0.1:80", "http://127.1/"),
    ],
)
def test_allowing_one_target_allows_no_other(allow: str, url: str) -> None:
    """An entry permits its own host and port, in canonical spelling, and nothing beside it."""
    assert slug_of(Guard([allow]), url) == "blocked-target"


@pytest.mark.parametrize("url", ["https://127.0.0.1:6379/", "https://localhost:6379/", "https://redis.example:6380/"])
def test_own_endpoints_are_never_targets(url: str) -> None:
    """The relay's own address and its Redis stay closed even when egress.allow names them (BI-216)."""
    guard = Guard(["127.0.0.1:6379", "localhost:6379", "redis.example:6380"], ["127.0.0.1:6379", "redis.example:6380"])

    assert slug_of(guard, url) == "blocked-target"


def test_own_wildcard_covers_loopback() -> None:
    """A relay that listens everywhere is not reached over loopback either."""
    guard = Guard(["127.0.0.1:8080"], ["0.0.0.0:8080"])

    assert slug_of(guard, "http://127.0.0.1:8080/") == "blocked-target"
    assert not connects(guard, "127.0.0.1", 8080)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1%1"]
)
def test_connections_to_private_addresses_are_blocked(address: str) -> None:
    """Whatever a name led to, the socket is refused when the address is private: no packet leaves (BI-215)."""
    assert not connects(Guard(), address, 443)


@pytest.mark.parametrize(("port", "made"), [(443, True), (80, False), (22, False), (8443, False)])
def test_connections_to_public_addresses_use_https_ports(port: int, *, made: bool) -> None:
    """A public address is reached on 443 only, unless the operator names another port."""
    assert connects(Guard(), "8.8.8.8", port) is made


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_allowed_localhost_connects(address: str) -> None:
    """``localhost:PORT`` needs no look-up: it means both loopback addresses."""
    guard = Guard(["localhost:8443"])

    assert connects(guard, address, 8443)
    assert not connects(guard, address, 8444)


def test_allow_list_is_checked_again_at_the_connection() -> None:
    """An allow-list entry opens its own address only; the check at the connection stays on (GitLab's bug)."""
    guard = Guard(["10.1.0.0/16:8080"])

    assert connects(guard, "10.1.2.3", 8080)
    assert not connects(guard, "10.2.2.3", 8080)
    assert not connects(guard, "10.1.2.3", 443)


def test_one_blocked_address_blocks_the_name() -> None:
    """A name with a public and a private address is blocked as a whole (BI-215)."""
    with pytest.raises(BlockedTarget):
        Guard().check_addresses("hook.example", 443, ["8.8.8.8", "10.0.0.1"])


def test_public_names_pass() -> None:
    """A name that leads to public addresses only is free to be dialled."""
    Guard().check_addresses("hook.example", 443, ["8.8.8.8", "2606:4700::1111"])


def test_allowed_name_connects_to_what_it_resolved_to() -> None:
    """A host name on the allow-list may be private, and the socket is checked against its own addresses."""
    guard = Guard(["siren.lan:8080"])
    before = connects(guard, "10.9.8.7", 8080)
    guard.check_addresses("siren.lan", 8080, ["10.9.8.7"])

    assert before is False
    assert connects(guard, "10.9.8.7", 8080)
    assert not connects(guard, "10.9.8.8", 8080)
    assert not connects(guard, "10.9.8.7", 443)


def test_allowed_name_that_moves_is_followed() -> None:
    """Only the addresses of the last look-up count, so an old one does not stay open."""
    guard = Guard(["siren.lan:8080"])
    guard.check_addresses("siren.lan", 8080, ["10.9.8.7"])
    guard.check_addresses("siren.lan", 8080, ["10.9.8.8"])

    assert not connects(guard, "10.9.8.7", 8080)


def test_allowed_name_never_leads_to_metadata() -> None:
    """A name on the allow-list that is rebound to a metadata service is blocked."""
    with pytest.raises(BlockedTarget):
        Guard(["siren.lan:80"]).check_addresses("siren.lan", 80, ["169.254.169.254"])


def test_localhost_passes_when_one_of_its_addresses_is_allowed() -> None:
    """localhost resolves to two addresses; allowing one is enough, and only that one is dialled."""
    guard = Guard(["127.0.0.1:8443"])
    guard.check_addresses("localhost", 8443, ["::1", "127.0.0.1"])

    assert connects(guard, "127.0.0.1", 8443)
    assert not connects(guard, "::1", 8443)


def test_the_machines_own_public_address_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay does not call itself by its public address."""
    monkeypatch.setattr("relay.directory.egress.is_local", lambda _: True)

    assert not connects(Guard(), "8.8.8.8", 443)


def test_other_socket_families_are_blocked() -> None:
    """A path of a local socket is no target."""
    with pytest.raises(BlockedTarget):
        Guard().socket_factory((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/run/redis.sock"))


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "localhost",
        "localhost:",
        ":80",
        "host:0",
        "host:65536",
        "host:x",
        "10.0.0.1/8:80",
        "a b:80",
        "*:80",
        "127.1:80",
    ],
)
def test_unclear_entries_stop_the_start(entry: str) -> None:
    """A mistyped permission is an error at the start, not a hole or a surprise."""
    with pytest.raises(ConfigError, match=r"egress\.allow"):
        Guard([entry])
