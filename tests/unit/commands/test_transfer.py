"""Files up and down: whole or not at all."""

import io
import sys
from pathlib import Path

import pytest

from relay.commands.client import Client
from relay.commands.failures import Failed, Refused
from relay.commands.target import find
from relay.commands.transfer import download, progress, read_object, upload
from relay.settings import Settings
from tests.unit.commands.stub_relay import StubRelay


def client_of(stub: StubRelay) -> Client:
    return Client(find(Settings(), url=stub.url))


def test_refused_export_leaves_the_old_file(stub: StubRelay, tmp_path: Path) -> None:
    """Half a list never stands where a whole one stood."""
    file = tmp_path / "people.ndjson"
    file.write_text("old")
    stub.problem("GET /export", status=503, title="The answer is not known now")
    with pytest.raises(Refused):
        download(client_of(stub), "/export", file)

    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_file_that_cannot_be_written_is_a_sentence(stub: StubRelay, tmp_path: Path) -> None:
    """A folder that is not there is named."""
    with pytest.raises(Failed, match="cannot be written"):
        download(client_of(stub), "/export", tmp_path / "none" / "people.ndjson")


def test_file_that_cannot_be_read_is_a_sentence(stub: StubRelay, tmp_path: Path) -> None:
    """A file that vanished is named."""
    with pytest.raises(Failed, match="cannot be read"):
        upload(client_of(stub), "/import", tmp_path / "none")


def test_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Notepad writes one."""
    (tmp_path / "r.json").write_bytes(b'\xef\xbb\xbf{"id": "r7"}')

    assert read_object(tmp_path / "r.json").document == {"id": "r7"}


def test_person_sees_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a long import moves; in a pipe nothing is drawn."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress("import", 100) as advance:
        advance(50)

    assert "import" in screen.getvalue()
