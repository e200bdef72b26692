"""What the doctor says of this machine."""

import resource
from pathlib import Path

import pytest

from relay.clock import SystemClock
from relay.commands import doctor_machine
from relay.commands.checklist import Level
from relay.commands.doctor_machine import data_items, fsync_item, program_items
from relay.settings import Settings


def subjects(path: Path) -> dict[str, Level]:
    return {item.subject: item.level for item in data_items(Settings(data_dir=path), clock=SystemClock())}


def test_program_is_described() -> None:
    """Versions stand there for whoever reads a ticket."""
    items = {item.subject: item.text for item in program_items()}

    assert "aiohttp " in items["libraries"]
    assert items["python"].startswith("3.")
    assert "names" in items


def test_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An incomplete installation is found."""
    monkeypatch.setattr(doctor_machine, "LIBRARIES", ("aiohttp", "no-such-library-here"))

    assert "missing: no-such-library-here" in next(i.text for i in program_items() if i.subject == "libraries")


@pytest.mark.parametrize(
    ("owners", "level"),
    [
        ({}, Level.OK),
        ({"relay": ["chapar-relay", "chapar-relay"]}, Level.OK),
        ({"relay": ["chapar-relay", "other"]}, Level.ERROR),
    ],
)
def test_shared_names_are_found(owners: dict[str, list[str]], level: Level) -> None:
    """Another package called relay would be half ours."""
    assert doctor_machine._names(lambda: owners).level is level


@pytest.mark.parametrize(
    ("limit", "level"), [(256, Level.WARNING), (4096, Level.OK), (resource.RLIM_INFINITY, Level.OK)]
)
def test_few_open_files_are_warned_of(limit: int, level: Level) -> None:
    """Many connections need many descriptors."""
    assert doctor_machine._files(limit).level is level


def test_directory_that_is_not_there_is_only_remarked(tmp_path: Path) -> None:
    """Before the first start nothing is wrong, and nothing is made."""
    assert subjects(tmp_path / "var") == {"data_dir": Level.NOTE}
    assert not (tmp_path / "var").exists()


def test_file_in_place_of_the_directory_is_an_error(tmp_path: Path) -> None:
    """The start would fail."""
    (tmp_path / "var").touch()

    assert subjects(tmp_path / "var") == {"data_dir": Level.ERROR}


def test_private_directory_is_probed_and_left_as_it_was(tmp_path: Path) -> None:
    """Permissions, space and fsync; no file of ours stays."""
    path = tmp_path / "var"
    path.mkdir(mode=0o700)
    found = subjects(path)

    assert found["data_dir"] is Level.OK
    assert {"disk", "fsync"} <= set(found)
    assert not list(path.iterdir())


def test_open_directory_is_an_error(tmp_path: Path) -> None:
    """Keys and addresses are in it."""
    path = tmp_path / "var"
    path.mkdir()
    path.chmod(0o755)

    assert subjects(path)["data_dir"] is Level.ERROR


def test_full_disk_is_warned_of() -> None:
    """Before the journal cannot be written."""
    assert doctor_machine._space(10_000_000).level is Level.WARNING


def test_slow_disk_is_warned_of() -> None:
    """Every accepted alert waits for one fsync."""
    assert fsync_item([0.05] * 5).level is Level.WARNING
    assert fsync_item([0.0003] * 5).level is Level.OK


def test_directory_that_cannot_be_written_to_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe tells the reason."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.open", full)

    assert "No space left" in doctor_machine._fsync(tmp_path, SystemClock()).text
