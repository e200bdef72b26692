"""Directories of recipients that several figures share: imported once through the API, then copied."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.configuration import silent
from bench.people import CITY, TOWN, VALLEY, Crowd
from bench.relay import Say, new_folder, started
from bench.sizes import Sizes

EVERY = 100


class Directories:
    """The directory of a million recipients, made when it is first asked for."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._made: Path | None = None

    @asynccontextmanager
    async def million(self, say: Say) -> AsyncIterator[Path]:
        """Yield a folder with the data directory of a relay that was stopped in order; it is removed after use.

        There is nothing in it but recipients: :func:`city` and :func:`town`.
        """
        if self._made is None:
            self._made = await self._make(say)
        folder = new_folder()
        try:
            await copy(self._made, folder)
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    @property
    def made(self) -> bool:
        """Whether it is there already."""
        return self._made is not None

    def close(self) -> None:
        """Remove what was made."""
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)
            self._made = None

    async def _make(self, say: Say) -> Path:
        folder = new_folder()
        try:
            async with started(silent("null"), say=say, folder=folder) as relay:
                await relay.fill(city(self._sizes), town(self._sizes))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder


async def copy(made: Path, folder: Path) -> None:
    """Copy the data directory of a relay that has ended from one folder to another.

    The record of its server stays behind: it names the socket by its whole path, which is that of the old folder.
    """
    ignore = shutil.ignore_patterns("*.sock", "server.json")
    await asyncio.to_thread(shutil.copytree, made / "data", folder / "data", ignore=ignore)


def city(sizes: Sizes) -> Crowd:
    """Return the million: about one in a hundred lives in the valley, at irregular places of the list."""
    return Crowd(
        count=sizes.million, prefix="city", kind="sms", address="+7701{n:07d}", place=CITY, other=VALLEY, every=EVERY
    )


def town(sizes: Sizes) -> Crowd:
    """Return a few others, who live apart."""
    return Crowd(count=sizes.few, prefix="town", kind="sms", address="+7702{n:07d}", place=TOWN)
