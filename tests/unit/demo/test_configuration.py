"""The configuration of the demo's relay."""

from __future__ import annotations

import socket
from pathlib import Path

from relay.demo.configuration import CROWD_RATE, Places, claim_port, free_port, to_toml
from relay.demo.people import crowd_number
from relay.fanout.channels import describe
from relay.settings import load


def places(folder: Path) -> Places:
    return Places(
        folder=folder,
        api=18080,
        smsc={"host": "127.0.0.1", "port": 2775, "system_id": "chapar", "password": "secret"},
        smtp=2525,
        hooks=8099,
    )


def test_the_relay_takes_it(tmp_path: Path) -> None:
    """The file is a configuration that the relay accepts, with every channel's own settings."""
    where = places(tmp_path / 'a "б" folder')
    where.folder.mkdir()
    where.config.write_text(to_toml(where), encoding="utf-8")
    settings = load(where.config, {})
    described = {name: describe(name, channel)[2] for name, channel in settings.channels.items()}

    assert settings.data_dir == where.data.absolute()
    assert {name: str(one.kind) for name, one in described.items()} == {
        "sms": "sms",
        "mail": "email",
        "webhook": "webhook",
        "crowd": "sms",
    }
    assert described["sms"].two_way
    assert described["sms"].receipts


def test_nothing_leaves_the_machine(tmp_path: Path) -> None:
    """Every channel goes to loopback or a file, and webhooks may reach one port of loopback only."""
    where = places(tmp_path)
    where.config.write_text(to_toml(where), encoding="utf-8")
    settings = load(where.config, {})

    assert settings.egress.allow == ("127.0.0.1:8099",)
    assert settings.api.host == "127.0.0.1"
    assert settings.redis.url == ""
    assert {channel.settings.get("host", "127.0.0.1") for channel in settings.channels.values()} == {"127.0.0.1"}


def test_the_crowd_has_its_own_channel(tmp_path: Path) -> None:
    """Numbers of the crowd go to the slow file channel, others to the SMS centre; only that one takes drills."""
    where = places(tmp_path)
    where.config.write_text(to_toml(where), encoding="utf-8")
    channels = load(where.config, {}).channels

    assert crowd_number(0).startswith(channels["crowd"].match)
    assert channels["crowd"].order < channels["sms"].order
    assert channels["crowd"].rate == CROWD_RATE
    assert [name for name, channel in channels.items() if "drill" in channel.lanes] == ["sms"]


def test_free_port() -> None:
    """The wanted port is given when it is free, else another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert free_port(port) not in (0, port)
    assert free_port(free_port()) != 0


def test_two_demos_never_take_the_same_port(tmp_path: Path) -> None:
    """Two that begin at once would both find the port free; the second takes another one."""
    wanted = free_port()
    first, claim = claim_port(wanted, claims=tmp_path)
    second, none = claim_port(wanted, claims=tmp_path)

    assert (first, none) == (wanted, None)
    assert claim is not None
    assert second != wanted
    claim.close()
