"""A real browser, headless: it looks at one address with a new profile each time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 90.0

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)
_TOOLS = re.compile(r"DevTools listening on ws://127\.0\.0\.1:(\d+)/")
_WHOLE = {"id": 1, "method": "Runtime.evaluate", "params": {"expression": "document.documentElement.outerHTML"}}


class Browser:
    """Chromium; ``log`` is what pages wrote to the console."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._runs = 0
        self.log: list[str] = []

    async def run(self, url: str, *options: str) -> str:
        """Open ``url`` and return what the browser prints when the page is loaded."""
        async with asyncio.timeout(PATIENCE), self._started(url, *options) as process:
            out, err = await process.communicate()
        self._heard(err.decode(errors="replace"))
        return out.decode()

    async def dom(self, url: str, *, seconds: float = 0.0) -> str:
        """Return the page as it stands when it is loaded, or so many seconds later."""
        if not seconds:
            return await self.run(url, "--dump-dom")
        # The browser's own virtual time stands still while the page's stream of events is open: a living page is asked.
        async with asyncio.timeout(PATIENCE), self._started(url, "--remote-debugging-port=0") as process:
            port = await self._tools(process)
            async with aiohttp.ClientSession() as web:
                whole = await _ask(web, port, seconds)
        return whole

    async def picture(self, url: str, *, width: int, height: int) -> bytes:
        """Return a PNG of the page."""
        path = self._place / "page.png"
        await self.run(url, f"--window-size={width},{height}", f"--screenshot={path}")
        return path.read_bytes()

    @asynccontextmanager
    async def _started(self, url: str, *options: str) -> AsyncIterator[Process]:
        self._runs += 1
        profile = self._place / f"profile-{self._runs}"
        profile.mkdir()
        process = await asyncio.create_subprocess_exec(
            str(CHROMIUM),
            *OPTIONS,
            f"--user-data-dir={profile}",
            *options,
            url,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            rest = await process.communicate()
            self._heard(rest[1].decode(errors="replace"))

    async def _tools(self, process: Process) -> int:
        """Return the port on which the browser can be asked."""
        assert process.stderr is not None
        while line := (await process.stderr.readline()).decode(errors="replace"):
            self._heard(line)
            if found := _TOOLS.search(line):
                return int(found[1])
        raise AssertionError("the browser ended before it could be asked")

    def _heard(self, text: str) -> None:
        self.log += [line for line in text.splitlines() if "CONSOLE" in line]


async def _ask(web: aiohttp.ClientSession, port: int, seconds: float) -> str:
    """Return the whole page as it stands ``seconds`` after it was found."""
    while True:
        async with web.get(f"http://127.0.0.1:{port}/json/list") as answer:
            pages = [page for page in await answer.json() if page["type"] == "page" and page["url"].startswith("http")]
        if pages:
            break
        await asyncio.sleep(0.05)
    async with web.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as tools:
        await asyncio.sleep(seconds)
        await tools.send_json(_WHOLE)
        while (said := await tools.receive_json()).get("id") != 1:
            pass
    return str(said["result"]["result"]["value"])
