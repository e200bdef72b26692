"""What ``relay check`` says of settings and texts."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from relay.commands import check_settings
from relay.commands.check_settings import settings_items, text_items
from relay.commands.checklist import Level
from relay.settings import Settings


def level_of(subject: str, **values: Any) -> Level:
    return next(item.level for item in settings_items(Settings.model_validate(values)) if item.subject == subject)


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("", Level.WARNING),
        ("http://warn.example", Level.WARNING),
        ("warn.example", Level.ERROR),
        ("https://warn.example", Level.OK),
    ],
)
def test_links_must_lead_somewhere(url: str, level: Level) -> None:
    """People tap the links; they must be reachable and private."""
    assert level_of("public_url", public_url=url) is level


@pytest.mark.parametrize(
    ("api", "level"),
    [
        ({}, Level.OK),
        ({"host": "0.0.0.0"}, Level.WARNING),
        ({"tls_cert": "only.pem"}, Level.ERROR),
        ({"tls_cert": "no.pem", "tls_key": "no.key"}, Level.ERROR),
    ],
)
def test_keys_do_not_travel_in_clear(api: dict[str, str], level: Level) -> None:
    """Plain HTTP is for loopback."""
    assert level_of("api", api=api) is level


def test_certificate_and_key_must_fit(tmp_path: Path) -> None:
    """The pair is really loaded."""
    made = trustme.CA().issue_cert("relay.meteo.example")
    made.cert_chain_pems[0].write_to_path(tmp_path / "c.pem")
    made.private_key_pem.write_to_path(tmp_path / "k.pem")
    other = trustme.CA().issue_cert("relay.meteo.example")
    other.private_key_pem.write_to_path(tmp_path / "o.pem")
    cert = str(tmp_path / "c.pem")

    assert level_of("api", api={"tls_cert": cert, "tls_key": str(tmp_path / "k.pem")}) is Level.OK
    assert level_of("api", api={"tls_cert": cert, "tls_key": str(tmp_path / "o.pem")}) is Level.ERROR


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("redis://127.0.0.1:6379/0", Level.OK),
        ("redis+sentinel://a,b/master", Level.OK),
        ("redis+sentinel://a,b", Level.ERROR),
        ("http://x", Level.ERROR),
    ],
)
def test_address_of_redis_is_understood(url: str, level: Level) -> None:
    """It is read, not dialled."""
    assert level_of("redis.url", redis={"url": url}) is level


def test_password_of_redis_is_not_shown() -> None:
    """The list may be pasted into a ticket."""
    items = settings_items(Settings.model_validate({"redis": {"url": "redis://user:hunter2@db.example:6379"}}))

    assert not any("hunter2" in item.text for item in items)


@pytest.mark.parametrize(
    ("subject", "values"),
    [
        ("egress.allow", {"egress": {"allow": ["nonsense"]}}),
        ("api.trusted_proxies", {"api": {"trusted_proxies": ["nonsense"]}}),
    ],
)
def test_lists_are_understood(subject: str, values: dict[str, Any]) -> None:
    """An entry that means nothing is an error before the start."""
    assert level_of(subject, **values) is Level.ERROR


def test_relay_without_workers_is_remarked() -> None:
    """It accepts, and others must send."""
    assert level_of("engine.workers", engine={"workers": 0}) is Level.NOTE


def test_drafts_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that no native reader approved are never called approved."""
    monkeypatch.setattr("relay.messages.phrasebook.drafts", lambda: ("kk",))

    assert text_items()[-1].level is Level.WARNING
    assert "kk" in text_items()[-1].text


def test_broken_template_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found here and not when the first warning is rendered."""

    def broken() -> None:
        raise ValueError("unexpected end of template")

    monkeypatch.setattr("relay.messages.render.warm", broken)

    assert text_items()[0].level is Level.ERROR


def test_readable_says_why_not(tmp_path: Path) -> None:
    """Empty means yes."""
    (tmp_path / "a").touch()

    assert check_settings.readable(tmp_path / "a") == ""
    assert check_settings.readable(tmp_path / "b") == "No such file or directory"


@pytest.mark.parametrize(
    ("held", "level"), [(None, Level.ERROR), ("too short", Level.ERROR), ("s" * 64, Level.OK), ("", Level.ERROR)]
)
def test_a_secret_of_links_must_be_one(tmp_path: Path, held: str | None, level: Level) -> None:
    """A file that is not there, or holds next to nothing, is found before a start."""
    file = tmp_path / "ack"
    if held is not None:
        file.write_text(held)

    assert level_of("ack_secret_file", ack_secret_file=str(file)) is level
    assert level_of("ack_secret_file", data_dir=str(tmp_path)) is Level.OK
