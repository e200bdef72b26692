"""The register: keys work without Redis, are shown once, and once revoked never come back."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from relay.errors import ConfigError, InvalidInput
from relay.intake.authority import Mode, Role
from relay.intake.credential import digest
from relay.intake.register import Register
from relay.testing.clocks import START, FakeClock


def register(directory: Path, clock: FakeClock | None = None) -> Register:
    return Register.open(directory, clock=clock or FakeClock())


def test_the_first_start_writes_a_random_admin_key(tmp_path: Path) -> None:
    """There is no default credential: the admin key is random, private, and works."""
    made = register(tmp_path)
    credential = made.admin_path.read_text().strip()
    other = tmp_path / "other"
    other.mkdir()

    key = made.authenticate(f"Bearer {credential}")

    assert key is not None
    assert key.role is Role.ADMIN
    assert made.admin_path == tmp_path / "admin.key"
    assert made.admin_path.stat().st_mode & 0o777 == 0o600
    assert register(other).admin_path.read_text().strip() != credential


def test_later_starts_keep_the_admin_key(tmp_path: Path) -> None:
    """The second start reads what the first wrote, and writes no other key."""
    credential = register(tmp_path).admin_path.read_text()
    again = register(tmp_path)

    assert again.admin_path.read_text() == credential
    assert len(again.keys()) == 1


def test_a_removed_admin_key_stays_removed(tmp_path: Path) -> None:
    """Who takes admin.key away after making other keys does not get it back by a restart."""
    register(tmp_path).admin_path.unlink()

    assert not register(tmp_path).admin_path.exists()


def test_a_lost_register_keeps_the_admin_in(tmp_path: Path) -> None:
    """When keys.json is lost, the holder of admin.key can still come in."""
    credential = register(tmp_path).admin_path.read_text().strip()
    (tmp_path / "keys.json").unlink()

    assert register(tmp_path).authenticate(f"Bearer {credential}") is not None


def test_keys_survive_and_their_credentials_are_not_stored(tmp_path: Path) -> None:
    """What was saved works after a restart; the disk holds the hash only, in a private file."""
    made = register(tmp_path)
    new = made.create(role=Role.AGENCY, name="meteo", senders=["*@meteo.example"], mode=Mode.TEST, strict=True)
    made.save()
    stored = (tmp_path / "keys.json").read_text()

    assert register(tmp_path).authenticate(f"Bearer {new.credential}") == new.key
    assert new.credential not in stored
    assert new.credential.rsplit("_", 1)[1] not in stored
    assert digest(new.credential) in stored
    assert new.credential not in repr(new)
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["admin.key", "keys.json"]


def test_basic_with_the_key_as_password(tmp_path: Path) -> None:
    """Old composers sign in by URL."""
    made = register(tmp_path)
    new = made.create(role=Role.OPERATOR, name="duty")
    pair = base64.b64encode(f"anything:{new.credential}".encode()).decode()

    assert made.authenticate(f"Basic {pair}") == new.key


def test_who_does_not_come_in(tmp_path: Path) -> None:
    """Wrong secrets, unknown ids, nonsense and nothing are all the same: nobody."""
    made = register(tmp_path)
    good = made.create(role=Role.OPERATOR, name="duty").credential
    prefix, key_id, secret = good.split("_")
    wrong = secret[:-1] + ("a" if secret[-1] != "a" else "b")

    for credential in (f"{prefix}_{key_id}_{wrong}", f"{prefix}_aaaaaaaa_{secret}", "x", good + " ", ""):
        assert made.authenticate_credential(credential) is None
    assert made.authenticate(None) is None
    assert made.authenticate_credential(good) is not None


def test_revoking_is_at_once_and_for_ever(tmp_path: Path) -> None:
    """A revoked key is refused at once, after a restart, and when an older entry comes in from elsewhere."""
    clock = FakeClock()
    made = register(tmp_path, clock)
    new = made.create(role=Role.OPERATOR, name="duty")
    before = new.key.entry()
    clock.advance(60)

    revoked = made.revoke(new.key.key_id)
    made.save()

    assert made.authenticate_credential(new.credential) is None
    assert revoked.revoked == START + timedelta(seconds=60)
    assert made.revoke(new.key.key_id) == revoked
    again = register(tmp_path, clock)
    assert again.merge([before]) == frozenset()
    newer = before | {"updated": (START + timedelta(days=1)).isoformat(), "name": "renamed"}
    assert again.merge([newer]) == {new.key.key_id}
    assert again.authenticate_credential(new.credential) is None


def test_revoking_nobody(tmp_path: Path) -> None:
    """An unknown id is 404."""
    with pytest.raises(InvalidInput) as caught:
        register(tmp_path).revoke("nobody")
    assert caught.value.status == 404


def test_an_agency_needs_a_sender(tmp_path: Path) -> None:
    """A key that could post as anyone is not made by forgetting a word."""
    made = register(tmp_path)

    with pytest.raises(InvalidInput, match="sender pattern"):
        made.create(role=Role.AGENCY, name="meteo")
    assert len(made.keys()) == 1


def test_keys_come_in_from_elsewhere(tmp_path: Path) -> None:
    """Entries of another node work here; the newest wins; what is no entry is left out."""
    clock = FakeClock()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    here, there = register(tmp_path / "a", clock), register(tmp_path / "b", clock)
    new = there.create(role=Role.OPERATOR, name="old name")
    newer = new.key.entry() | {"name": "new name", "updated": (START + timedelta(seconds=1)).isoformat()}

    assert here.merge([newer, {"key_id": "broken"}, new.key.entry()]) == {new.key.key_id}
    found = here.authenticate_credential(new.credential)
    assert found is not None
    assert found.name == "new name"
    assert here.get(new.key.key_id) == found


def test_processes_share_the_file(tmp_path: Path) -> None:
    """Another process sees a new key or a revocation by refreshing, and saving does not undo the other's work."""
    first, second = register(tmp_path), register(tmp_path)
    one, two = first.create(role=Role.OPERATOR, name="one"), second.create(role=Role.OPERATOR, name="two")
    first.save()
    second.save()

    assert first.authenticate_credential(two.credential) is None
    first.refresh()
    assert first.authenticate_credential(two.credential) is not None
    assert second.authenticate_credential(one.credential) is not None


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"keys": []}', b'{"version": 99, "keys": []}'])
def test_a_damaged_file_is_not_overwritten(tmp_path: Path, content: bytes) -> None:
    """A damaged or newer keys.json stops the start with a sentence, instead of being replaced."""
    (tmp_path / "keys.json").write_bytes(content)

    with pytest.raises(ConfigError, match=r"keys\.json"):
        register(tmp_path)
    assert (tmp_path / "keys.json").read_bytes() == content
    assert not (tmp_path / "admin.key").exists()


def test_a_spoilt_admin_key_is_said_so(tmp_path: Path) -> None:
    """A weak or known value is refused."""
    (tmp_path / "admin.key").write_text("admin\n")

    with pytest.raises(ConfigError, match="holds no key"):
        register(tmp_path)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk while saving keeps the old register whole and leaves no litter."""
    made = register(tmp_path)
    before = (tmp_path / "keys.json").read_bytes()
    made.create(role=Role.OPERATOR, name="duty")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        made.save()

    assert (tmp_path / "keys.json").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2
    assert orjson.loads(before)["version"] == 1
