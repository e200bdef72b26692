"""``redis.url`` taken apart: what works is understood, what cannot work is refused with a word on what does."""

import pytest

from relay.errors import ConfigError
from relay.store.url import Address, parse


@pytest.mark.parametrize("text", ["redis://localhost:6379/0", "rediss://redis.example", "unix:///run/redis.sock"])
def test_plain_urls_are_left_to_the_library(text: str) -> None:
    """One server: the library reads the rest."""
    url = parse(text)

    assert (url.kind, url.text) == ("single", text)


def test_sentinels_and_the_name_of_their_master() -> None:
    """Each Sentinel with its port, by default 26379."""
    url = parse("redis+sentinel://one.example:5000,two.example,[::1]:7/chapar")

    assert (url.kind, url.master) == ("sentinel", "chapar")
    assert url.hosts == (Address("one.example", 5000), Address("two.example", 26379), Address("::1", 7))


def test_cluster_nodes_and_credentials() -> None:
    """A password is given once, before the hosts, and ``rediss`` means TLS to every node."""
    url = parse("rediss+cluster://relay:p%40ss@one.example,two.example:7001")

    assert (url.kind, url.tls, url.username, url.password) == ("cluster", True, "relay", "p@ss")
    assert [str(host) for host in url.hosts] == ["one.example:6379", "two.example:7001"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:6379",
        "http://redis.example",
        "redis+sentinel://one.example:1,two.example:2",
        "redis+sentinel:///chapar",
        "redis+cluster://one.example:1/0",
        "redis+cluster://one.example:port",
        "redis+cluster://one.example:70000",
        "memcached+cluster://one.example",
    ],
)
def test_unusable_urls_are_refused(text: str) -> None:
    """The sentence names the setting."""
    with pytest.raises(ConfigError, match=r"redis\.url"):
        parse(text)
