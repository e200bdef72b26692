"""Whether a file holds XML or JSON, by what is in it."""

from pathlib import Path

import pytest

from relay.commands.alert_file import CAP, JSON, media_of, read
from relay.commands.failures import Failed


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"<alert/>", CAP),
        (b"\xef\xbb\xbf<alert/>", CAP),
        ("<alert/>".encode("utf-16"), CAP),
        (b'\n {"identifier": 1}', JSON),
        (b'\xef\xbb\xbf{"identifier": 1}', JSON),
        ('{"a": 1}'.encode("utf-16-le"), JSON),
        (b"[]", JSON),
        (b"nonsense", CAP),
    ],
)
def test_media_type_follows_the_content(body: bytes, media: str) -> None:
    """A byte order mark or spaces in front do not matter."""
    assert media_of(body) == media


def test_empty_file_is_refused_here(tmp_path: Path) -> None:
    """A file that a crashed composer left empty is told as that."""
    (tmp_path / "a.xml").write_bytes(b" \n")
    with pytest.raises(Failed, match="is empty"):
        read(tmp_path / "a.xml")


def test_json_is_known_as_such(tmp_path: Path) -> None:
    """The reader of the file knows which parser to take."""
    (tmp_path / "a").write_bytes(b"{}")

    assert read(tmp_path / "a").is_json
