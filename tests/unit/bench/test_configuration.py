"""What the bench writes is a configuration that the relay reads."""

from __future__ import annotations

from pathlib import Path

from bench.configuration import Channel, silent, to_file, to_toml
from relay.fanout.channels import describe
from relay.settings import load


def test_the_relay_reads_what_is_written(tmp_path: Path) -> None:
    """Every channel's settings fit its adapter, and what is not said keeps its default."""
    channels = (
        silent("low", match=["+7701"]),
        to_file("flash", tmp_path / 'a "quoted" name', kind="email", rate=100),
        Channel(name="hooks", adapter="webhook", settings={"per_host": 64, "start_within": 30.0}),
    )
    text = to_toml(channels, data_dir=tmp_path / "data", port=18099, allow=("127.0.0.1:9",), extra="# nothing")
    (tmp_path / "relay.toml").write_text(text, encoding="utf-8")
    settings = load(tmp_path / "relay.toml", environ={})
    kinds = {name: str(describe(name, channel)[2].kind) for name, channel in settings.channels.items()}

    assert kinds == {"low": "sms", "flash": "email", "hooks": "webhook"}
    assert settings.channels["low"].match == ("+7701",)
    assert settings.channels["flash"].settings["path"] == str(tmp_path / 'a "quoted" name')
    assert (settings.channels["flash"].rate, settings.channels["low"].rate) == (100, 0)
    assert (settings.api.port, settings.egress.allow, settings.engine.workers) == (18099, ("127.0.0.1:9",), 1)
