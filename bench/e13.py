"""E13: what an idle relay holds, and what its status page costs on a thin link."""

from __future__ import annotations

import asyncio
import gzip
import re
from urllib.parse import urlencode

from bench.configuration import silent
from bench.figures import Figure, Target
from bench.http1 import Answer, request
from bench.job import Job
from bench.people import CITY, Crowd
from bench.processes import memory_of, used
from bench.relay import Relay, running
from bench.stats import median
from bench.wire import Wire

TARGET = Target(limit=250, unit="MB", most=True)
FIRST = Target(limit=30_000, unit="bytes", most=True)
MINUTE = Target(limit=1_000, unit="bytes", most=True)
WHAT = "idle: resident memory of the relay, one worker and the server; the status page on a thin link"
_FEW = 100
_ASSET = re.compile(r"""(?:src|href)="(/console/static/[^"]+)""")
_EVERY = re.compile(r'data-every="(\d+)"')
_STREAM = re.compile(r"""new EventSource\(\s*["'`]([^"'`]+)""")
_SETTLES = 3.0
_LONGER = 3  # a stream says that it lives a few times a minute: a short look would see one time more or less


async def measure(job: Job) -> Figure:
    """Start a relay with a few recipients, let it rest, and look at it as an operator's browser does."""
    async with running(silent("null"), say=job.say) as relay:
        await relay.fill(Crowd(count=_FEW, prefix="city", kind="sms", address="+7701{n:07d}", place=CITY))
        job.say(f"idle for {job.sizes.listening:.0f} s")
        await asyncio.sleep(_SETTLES)
        before = relay.cpu()
        await asyncio.sleep(job.sizes.listening)
        busy = {name: seconds / job.sizes.listening * 100 for name, seconds in used(before, relay.cpu()).items()}
        held = {name: memory_of(pid) for name, pid in relay.processes().items()}
        page = await asyncio.to_thread(look, relay, job.sizes.listening)
        server = await relay.store.server()
    return Figure(
        name="E13",
        what=WHAT,
        value=sum(memory.resident for memory in held.values()) / 1e6,
        target=TARGET,
        conditions={"status_page_first_load_bytes": FIRST, "status_page_bytes_a_minute_idle": MINUTE},
        beside={
            "status_page_first_load_bytes": page.first,
            "status_page_bytes_a_minute_idle": page.minute,
            "status_page_parts": page.parts,
            "status_page_follows_by": page.how,
            "together_when_shared_pages_count_once_mb": sum(memory.share for memory in held.values()) / 1e6,
            "share_mb": {name: memory.share / 1e6 for name, memory in held.items()},
            "resident_mb": {name: memory.resident / 1e6 for name, memory in held.items()},
            "cpu_percent_idle": busy,
            **server,
        },
    )


class Page:
    """What a browser receives, heads of answers included: at first, and in a minute in which nothing happens."""

    def __init__(self) -> None:
        self.first = 0
        self.minute = 0.0
        self.how = ""
        self.parts: dict[str, int] = {}


def look(relay: Relay, seconds: float) -> Page:
    """Load the page with all that it names, then follow it as its script does; it blocks."""
    page = Page()
    with Wire(relay.port) as wire:
        cookie = _sign_in(wire, relay.client.key)
        html = _get(wire, "/status", cookie)
        page.parts["page"] = html.size
        script = ""
        for path in dict.fromkeys(_ASSET.findall(_text(html))):
            asset = _get(wire, path, cookie)
            page.parts[path.rpartition("/")[2].partition("?")[0]] = asset.size
            script += _text(asset) if ".js" in path else ""
        page.first = sum(page.parts.values())
        page.how, page.minute = _follow(wire, cookie, html=html, script=script, seconds=seconds)
    return page


def _follow(wire: Wire, cookie: str, *, html: Answer, script: str, seconds: float) -> tuple[str, float]:
    if stream := _STREAM.search(script):
        # Twice: what comes at the beginning of a stream is not what comes in every minute.
        asked = request("GET", stream[1], headers={"Cookie": cookie, "Accept": "text/event-stream"})
        wire.listen(asked, seconds=_SETTLES)
        longer = seconds * _LONGER
        return f"stream {stream[1]}", wire.more(seconds=longer) / longer * 60
    every = int((_EVERY.search(_text(html)) or ["", "5"])[1])
    tag, sizes = "", []
    # The page asks again every few seconds; the answers are as large when they are asked for at once.
    for _ in range(4):
        answer = _get(wire, "/status", cookie, tag=tag)
        tag = answer.header("ETag")
        sizes.append(answer.size)
    return f"asking every {every} s", median([float(size) for size in sizes[1:]]) * 60 / every


def _sign_in(wire: Wire, key: str) -> str:
    """Return the cookie of a session."""
    form = urlencode({"key": key}).encode()
    answer = wire.ask(request("POST", "/status/sign-in", content="application/x-www-form-urlencoded", body=form))
    return answer.header("Set-Cookie").partition(";")[0]


def _get(wire: Wire, path: str, cookie: str, *, tag: str = "") -> Answer:
    known = {"If-None-Match": tag} if tag else {}
    headers = {"Cookie": cookie, "Accept": "text/html,*/*", "Accept-Encoding": "gzip", **known}
    return wire.ask(request("GET", path, headers=headers))


def _text(answer: Answer) -> str:
    body = gzip.decompress(answer.body) if answer.header("Content-Encoding") == "gzip" else answer.body
    return body.decode()
