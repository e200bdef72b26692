"""What the private server keeps in its directory."""

import os
import shutil
from pathlib import Path

import pytest

from relay.store.server_choice import Server
from relay.store.server_files import LONGEST_SOCKET_PATH, ServerFiles, says_unreadable

VALKEY = Server(family="valkey", version=(9, 1, 2), path=Path("/bin/valkey-server"))


@pytest.fixture
def files(tmp_path: Path) -> ServerFiles:
    made = ServerFiles(tmp_path)
    made.prepare()
    return made


def test_directory_is_closed_to_others(tmp_path: Path) -> None:
    """The server has no password because nobody else can reach its socket: the directory is made private again."""
    (tmp_path / "redis").mkdir(mode=0o755)
    files = ServerFiles(tmp_path)
    files.prepare()

    assert files.folder.stat().st_mode & 0o777 == 0o700


def test_who_made_the_files_is_remembered(files: ServerFiles, tmp_path: Path) -> None:
    """The next start knows which server wrote the files."""
    files.note(VALKEY)
    files.rows.mkdir()

    assert ServerFiles(tmp_path).made() == VALKEY


def test_without_files_nobody_made_them(files: ServerFiles) -> None:
    """When the files were moved away, any server may start afresh."""
    files.note(VALKEY)

    assert files.made() is None


def test_broken_record_is_no_obstacle(files: ServerFiles) -> None:
    """A record cut off by a power failure counts as none."""
    (files.folder / "server.json").write_text('{"format": 1, "fam')
    files.rows.mkdir()

    assert files.made() is None
    assert files.socket == files.folder / "redis.sock"


def test_long_path_gets_a_private_place_for_its_socket(tmp_path: Path) -> None:
    """A data directory whose path is too long for a socket address works, and keeps its place over restarts."""
    deep = tmp_path / ("d" * 100)
    files = ServerFiles(deep)
    files.prepare()
    files.note(VALKEY)
    first = files.socket
    files.note(VALKEY)
    second = ServerFiles(deep).socket
    private = first.parent.stat().st_mode & 0o777
    files.forget_socket()

    assert len(os.fsencode(first)) <= LONGEST_SOCKET_PATH
    assert first == second
    assert private == 0o700
    assert not first.parent.exists()


@pytest.mark.parametrize("name", ["short", "d" * 100])
def test_copied_directory_has_a_server_of_its_own(tmp_path: Path, name: str) -> None:
    """A copy of a data directory led to the socket of the relay it was copied from, which may be running."""
    original = ServerFiles(tmp_path / name)
    original.prepare()
    original.note(VALKEY)
    shutil.copytree(original.folder.parent, tmp_path / f"{name}-copy")
    copy = ServerFiles(tmp_path / f"{name}-copy")
    before = copy.socket
    copy.note(VALKEY)
    after = copy.socket
    copy.forget_socket()

    assert original.socket not in (before, after)
    original.forget_socket()


def test_place_that_others_could_enter_is_not_used_again(tmp_path: Path) -> None:
    """A recorded temporary directory that somebody else opened up is left alone."""
    files = ServerFiles(tmp_path / ("d" * 100))
    files.prepare()
    files.note(VALKEY)
    first = files.socket
    first.parent.chmod(0o777)
    files.note(VALKEY)
    second = files.socket
    first.parent.rmdir()
    files.forget_socket()

    assert second != first


def test_lock_is_for_one(files: ServerFiles) -> None:
    """Two servers never work on the same files."""
    first = files.take_lock()
    second = files.take_lock()
    assert first is not None
    os.close(first)
    third = files.take_lock()
    assert third is not None
    os.close(third)

    assert second is None


def test_foreign_process_is_never_taken_for_the_old_server(files: ServerFiles) -> None:
    """A process id that was given to another program since is not ours to end."""
    files.write_pid(os.getpid())

    assert files.old_pid() is None


def test_unreadable_files_are_kept(files: ServerFiles) -> None:
    """Files that cannot be read are moved, never deleted, and never over one another."""
    places = []
    for text in ("first", "second"):
        files.rows.mkdir()
        (files.rows / "appendonly.aof").write_text(text)
        places.append(files.set_aside())

    assert [(place / "appendonly.aof").read_text() for place in places] == ["first", "second"]
    assert not files.rows.exists()


@pytest.mark.parametrize(
    ("words", "unreadable"),
    [
        ("# Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup", True),
        ("# Invalid AOF manifest file format", True),
        ("# Unable to obtain the AOF file appendonly.aof.1.incr.aof length. stat: No such file or directory", True),
        ("# Unable to obtain the AOF file appendonly.aof.1.incr.aof length. stat: Permission denied", False),
        ("# Fatal: can't open the append log file: No space left on device", False),
        ("* Ready to accept connections", False),
        ("# Failed opening Unix socket: bind: No such file or directory", False),
    ],
)
def test_last_words_tell_what_is_wrong(words: str, *, unreadable: bool) -> None:
    """Files are set aside only for what is in them, not for a full disk or a wrong owner."""
    assert says_unreadable(words) is unreadable


def test_long_log_is_turned_over(files: ServerFiles) -> None:
    """The server's log does not grow without end."""
    files.log.write_bytes(b"x" * (8 * 1024 * 1024 + 1))
    os.close(files.open_log())

    assert files.log.stat().st_size == 0
    assert files.log.with_suffix(".log.1").exists()
