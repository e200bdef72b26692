"""What a server says of itself, read whichever way the library gives it."""

import pytest

from relay.store.doctor import info_fields, number_of, version_of


def test_info_is_read_as_text_and_as_a_mapping() -> None:
    """The library parses INFO for some callers and not for others."""
    text = b"# Server\r\nredis_version:7.0.15\r\nexecutable:/usr/bin/x:y\r\n\r\naof_enabled:1\r\n"

    assert info_fields(text) == {"redis_version": "7.0.15", "executable": "/usr/bin/x:y", "aof_enabled": "1"}
    assert info_fields({"redis_version": "7.0.15", "aof_enabled": 1}) == {"redis_version": "7.0.15", "aof_enabled": "1"}


@pytest.mark.parametrize(
    ("text", "version"),
    [("9.1.2", (9, 1, 2)), ("7.2", (7, 2, 0)), ("8.0.1-rc1", (8, 0, 0)), ("", (0, 0, 0))],
)
def test_version_is_three_numbers(text: str, version: tuple[int, int, int]) -> None:
    """What is no number counts as zero: an unknown server is an old one."""
    assert version_of(text) == version


def test_missing_field_is_zero() -> None:
    """An older server does not know every field."""
    assert number_of({}, "used_memory") == 0
    assert number_of({"used_memory": "12"}, "used_memory") == 12
