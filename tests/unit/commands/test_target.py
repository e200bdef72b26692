"""Which relay is talked to, and with which key."""

from pathlib import Path

import pytest

from relay.commands.failures import Failed
from relay.commands.target import Target, find, local_url
from relay.settings import Api, Settings


@pytest.mark.parametrize(
    ("api", "url"),
    [
        (Api(), "http://127.0.0.1:8080"),
        (Api(host="0.0.0.0", port=80), "http://127.0.0.1:80"),
        (Api(host="::"), "http://[::1]:8080"),
        (Api(host="fd00::5"), "http://[fd00::5]:8080"),
        (Api(host="relay.meteo.example", port=443, tls_cert="c", tls_key="k"), "https://relay.meteo.example:443"),
    ],
)
def test_relay_is_found_where_it_listens(api: Api, url: str) -> None:
    """The command line goes to the listening address of this machine, not to the public name."""
    settings = Settings(api=api, public_url="https://warn.example")

    assert local_url(settings) == url


def test_key_is_read_from_the_data_directory(tmp_path: Path) -> None:
    """The key that the relay wrote at its first start is used without being named."""
    (tmp_path / "admin.key").write_text("chapar_abc\n")

    assert find(Settings(data_dir=tmp_path)).key == "chapar_abc"


def test_another_key_file_can_be_named(tmp_path: Path) -> None:
    """An operator uses a key of his own."""
    (tmp_path / "my.key").write_text("chapar_mine")

    assert find(Settings(data_dir=tmp_path), key_file=tmp_path / "my.key").key == "chapar_mine"


def test_missing_key_is_no_key(tmp_path: Path) -> None:
    """A relay that was never started has no key; that is told when it matters."""
    assert find(Settings(data_dir=tmp_path)).key == ""


@pytest.mark.parametrize("content", [b"", b"two words", b"chapar_a\nchapar_b\n", b"\xff\xfe\x00"])
def test_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """What is no key is never sent anywhere."""
    (tmp_path / "admin.key").write_bytes(content)
    with pytest.raises(Failed, match="holds no key"):
        find(Settings(data_dir=tmp_path))


def test_unreadable_key_is_explained(tmp_path: Path) -> None:
    """A key file that cannot be read names the way out."""
    (tmp_path / "admin.key").mkdir()
    with pytest.raises(Failed, match="--key-file"):
        find(Settings(data_dir=tmp_path))


def test_named_relay_is_checked_by_the_machines_authorities(tmp_path: Path) -> None:
    """Only our own relay shows the certificate that stands in our configuration."""
    settings = Settings(data_dir=tmp_path, api=Api(tls_cert="cert.pem", tls_key="key.pem"))

    assert find(settings).pinned == Path("cert.pem")
    assert find(settings, url="https://other.example/").pinned is None
    assert find(settings, url="https://other.example/").url == "https://other.example"


def test_missing_certificate_is_explained(tmp_path: Path) -> None:
    """A certificate that cannot be read is a sentence."""
    target = Target(url="https://127.0.0.1", key="", key_file=tmp_path, pinned=tmp_path / "none.pem")
    with pytest.raises(Failed, match=r"api\.tls_cert"):
        target.tls()
