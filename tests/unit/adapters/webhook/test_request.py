"""What goes over the wire is what the URL says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from adapters.webhook.request import head, headers_of, origin_of, split


@pytest.mark.parametrize(
    ("url", "where", "path"),
    [
        ("https://hook.example/a", "https://hook.example", b"/a"),
        ("https://hook.example", "https://hook.example", b"/"),
        ("https://hook.example?x=1", "https://hook.example", b"/?x=1"),
        ("http://10.1.2.3:8080/a/b?x=1&y=2", "http://10.1.2.3:8080", b"/a/b?x=1&y=2"),
        ("https://[2001:db8::1]:8443/a", "https://[2001:db8::1]:8443", b"/a"),
        ("https://hook.example/a/../b", "https://hook.example", b"/b"),
        ("https://hook.example/a/./b", "https://hook.example", b"/a/b"),
        (
            "https://hook.example/крюк?имя=я",
            "https://hook.example",
            b"/%D0%BA%D1%80%D1%8E%D0%BA?%D0%B8%D0%BC%D1%8F=%D1%8F",
        ),
        ("https://hook.example/a b", "https://hook.example", b"/a%20b"),
        ("https://hook.example/%7euser", "https://hook.example", b"/~user"),
    ],
)
def test_urls_are_split(url: str, where: str, path: bytes) -> None:
    """Scheme and authority lead to the host, the rest is asked of it, quoted where it must be."""
    assert split(url) == (where, path)


@given(st.text("abcXYZ019-._~/?=&", max_size=40))
def test_plain_urls_need_no_parser(rest: str) -> None:
    """The short cut for plain URLs gives what the parser gives."""
    url = f"https://hook.example:8443/{rest}"

    assert split(url)[1].decode() == URL(url).raw_path_qs


@pytest.mark.parametrize(
    ("where", "name", "host", "port"),
    [
        ("https://hook.example", "https://hook.example", "hook.example", 443),
        ("https://hook.example:443", "https://hook.example", "hook.example", 443),
        ("https://Hook.Example:8443", "https://hook.example:8443", "hook.example", 8443),
        ("http://hook.example:80", "http://hook.example", "hook.example", 80),
        ("http://hook.example:443", "http://hook.example:443", "hook.example", 443),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", "2001:db8::1", 443),
    ],
)
def test_one_origin_has_one_name(where: str, name: str, host: str, port: int) -> None:
    """However a host is written, its limit and its connections are the same."""
    origin = origin_of(where)

    assert (origin.name, origin.host, origin.port) == (name, host, port)
    assert origin.tls is where.startswith("https:")


def test_the_head_is_http() -> None:
    """Every header is there once, and the body follows an empty line."""
    headers = headers_of(origin_of("https://[2001:db8::1]:8443"), media="application/json", user_agent="Chapar")
    signed = head(b"/a", headers, message_id=b"leg-1", timestamp=b"17", signature=b"v1,x", length=2)
    bare = head(b"/a", headers, message_id=b"leg-1", timestamp=b"17", signature=b"", length=2)

    assert signed == (
        b"POST /a HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\nContent-Type: application/json\r\nUser-Agent: Chapar\r\n"
        b"Accept: */*\r\nAccept-Encoding: identity\r\nwebhook-id: leg-1\r\nwebhook-timestamp: 17\r\n"
        b"webhook-signature: v1,x\r\nContent-Length: 2\r\n\r\n"
    )
    assert bare == signed.replace(b"webhook-signature: v1,x\r\n", b"")
