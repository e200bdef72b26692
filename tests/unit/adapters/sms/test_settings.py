"""The settings of an SMPP account."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from adapters.sms.settings import Settings, is_number

LEAST = {"host": "smsc.example", "system_id": "chapar"}


def test_least_settings() -> None:
    """A host and a name are enough; the rest has sane values."""
    settings = Settings.model_validate(LEAST)

    assert (settings.port, settings.window, settings.binds, settings.two_way) == (2775, 50, 1, True)


@pytest.mark.parametrize(
    ("extra", "word"),
    [
        ({"sytem_type": "x"}, "sytem_type"),
        ({"port": 0}, "port"),
        ({"window": 0}, "window"),
        ({"source_addr": "MCHS", "two_way": True}, "two_way = false"),
        ({"source_addr": "MCHS-KAZAKHSTAN"}, "11 characters"),
        ({"source_addr": "МЧС"}, "source_addr"),
        ({"password": "a", "password_file": "b"}, "not both"),
        ({"password": "x" * 65}, "64"),
        ({"reconnect": []}, "reconnect"),
        ({"receipt_ids": "octal"}, "receipt_ids"),
    ],
)
def test_mistakes_are_named(extra: dict[str, object], word: str) -> None:
    """A mistake is refused in words that name it."""
    with pytest.raises(ValidationError, match=word):
        Settings.model_validate({**LEAST, **extra})


def test_name_cannot_be_answered() -> None:
    """An alphanumeric sender makes the channel one-way by itself."""
    assert Settings.model_validate({**LEAST, "source_addr": "MCHS"}).two_way is False
    assert Settings.model_validate({**LEAST, "source_addr": "+77010009999"}).two_way is True
    assert Settings.model_validate({**LEAST, "source_addr": "1414", "two_way": False}).two_way is False


def test_password_is_not_shown() -> None:
    """Printing the settings does not print the password, nor does an error about them."""
    settings = Settings.model_validate({**LEAST, "password": "opensesame"})

    assert "opensesame" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_is_number() -> None:
    """Digits with or without plus are a number; other scripts' digits are not."""
    assert [is_number(word) for word in ("+7701", "1414", "MCHS", "", "+", "٧٧٠١")] == [True, True] + [False] * 4
