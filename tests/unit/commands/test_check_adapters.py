"""What ``relay check`` says of adapters and channels."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from relay.commands import check_adapters
from relay.commands.check_adapters import channel_items, installed
from relay.commands.checklist import Item, Level
from relay.fanout.channels import GROUP
from relay.settings import Settings


def items(**channels: dict[str, Any]) -> list[Item]:
    return channel_items(Settings.model_validate({"channels": channels}))


def of(found: list[Item], subject: str) -> list[Item]:
    return [item for item in found if item.subject == subject]


def test_every_adapter_says_where_it_came_from() -> None:
    """Distribution, version and class."""
    (smpp,) = of(installed(), "adapter smpp")

    assert smpp.level is Level.OK
    assert "from chapar-relay" in smpp.text
    assert "adapters.sms.smpp:Smpp" in smpp.text


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("adapters.console:Console", Level.OK),
        ("no_such_module:Siren", Level.ERROR),
        ("relay.clock:SystemClock", Level.ERROR),
    ],
)
def test_foreign_adapter_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, value: str, level: Level) -> None:
    """Somebody else's broken package is an item in the list, not a traceback."""
    point = EntryPoint("siren", value, GROUP)
    monkeypatch.setattr(check_adapters, "entry_points", lambda **_: [point])

    assert installed()[0].level is level


def test_adapter_of_another_contract_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter made for another version would be refused at the start."""
    point = EntryPoint("console", "adapters.console:Console", GROUP)
    monkeypatch.setattr(check_adapters, "entry_points", lambda **_: [point, point])
    monkeypatch.setattr(check_adapters, "API_VERSION", 99)

    assert "contract 1, this relay has 99" in installed()[0].text
    assert "two distributions" in installed()[-1].text


def test_no_adapter_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree that is not installed has no entry points."""
    monkeypatch.setattr(check_adapters, "entry_points", lambda **_: [])

    assert installed()[0].level is Level.ERROR


def test_channel_with_wrong_settings_is_an_error() -> None:
    """The sentence names the setting."""
    (item,) = of(items(mail={"adapter": "smtp", "settings": {"host": "mail.meteo.example"}}), "channel mail")

    assert item.level is Level.ERROR
    assert "channels.mail.settings.sender" in item.text


def test_password_file_must_be_there() -> None:
    """A secret that cannot be read is found before the first warning."""
    settings = {"host": "smsc.operator.example", "system_id": "chapar", "password_file": "none/sms.password"}
    _, trouble = of(items(sms={"adapter": "smpp", "settings": settings}), "channel sms")

    assert trouble.level is Level.ERROR
    assert "password_file = none/sms.password: No such file" in trouble.text


def test_stand_in_is_remarked() -> None:
    """Nobody takes a console for a provider."""
    (item,) = of(items(sms={"adapter": "console"}), "channel sms")

    assert item.level is Level.NOTE
    assert "nothing leaves" in item.text


def test_kinds_without_a_channel_are_warned_of() -> None:
    """Whoever has only a telephone would not be told; a drill channel does not count for real alerts."""
    found = items(sms={"adapter": "console", "lanes": ["drill"]})
    (missing,) = of(found, "channels")

    assert missing.level is Level.WARNING
    assert "sms, email" in missing.text


def test_no_drill_channel_is_remarked() -> None:
    """An exercise that reaches nobody surprises the operator here."""
    assert any("exercises reach nobody" in item.text for item in items(sms={"adapter": "console"}))
