"""The beginning: wait until the relay accepts alerts and its worker is bound, then say what is here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from relay.clock import Clock
from relay.demo.child import RelayProcess
from relay.demo.configuration import Places
from relay.demo.faults import NoStage
from relay.demo.paper import Paper, seconds, shown_path
from relay.demo.people import PEOPLE, languages_line, needs_line
from relay.demo.receivers import Receivers
from relay.demo.relay_client import RelayClient

_WITHIN: Final = 20.0
_LOOK: Final = 0.02
_STARTED: Final = re.compile(r'"event":"redis_started","server":"([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A relay that accepts alerts since ``at`` (monotonic seconds) and whose worker is there."""

    relay: RelayClient
    at: float


async def wait_until_ready(
    places: Places, process: RelayProcess, receivers: Receivers, paper: Paper, *, clock: Clock
) -> Ready:
    """Wait for the first 200 of ``/readyz``, then for the worker's bind to the SMS centre.

    Raises:
        NoStage: the relay ended, or it takes too long.
    """
    try:
        async with asyncio.timeout(_WITHIN):
            relay = await _connected(places, process, paper, clock=clock)
            at = clock.monotonic()
            while not (receivers.smsc.gate.binds and (await relay.status())["workers"]):
                process.check()
                paper.busy("the worker starts")
                await asyncio.sleep(_LOOK)
    except TimeoutError as error:
        raise NoStage(
            f"the relay was not ready within {_WITHIN:.0f} s; what it says is in {shown_path(places.log)}"
        ) from error
    return Ready(relay=relay, at=at)


async def _connected(places: Places, process: RelayProcess, paper: Paper, *, clock: Clock) -> RelayClient:
    """Return a client with the administrator's key, once the relay accepts alerts."""
    stranger = RelayClient(places.url, "", clock=clock)
    try:
        while not await stranger.ready():
            process.check()
            paper.busy("the relay starts")
            await asyncio.sleep(_LOOK)
    finally:
        await stranger.close()
    key = (places.data / "admin.key").read_text(encoding="ascii").strip()
    return RelayClient(places.url, key, clock=clock)


async def introduce(paper: Paper, places: Places, ready: Ready, *, took: float) -> None:
    """Say what was started, and who is there.

    Raises:
        Fault: the relay does not say how it is.
    """
    status = await ready.relay.status()
    paper.named(
        "start",
        f"relay {places.url.removeprefix('http://')} · {server_of(status, places.log)}"
        f" · journal {shown_path(places.data)}, {fsync_of(status)}   {seconds(took)}",
    )
    paper.named("", "real receivers here: SMSC (SMPP 3.4) · SMTP server · webhook that checks signatures")
    paper.named("people", f"{len(PEOPLE)} recipients: {languages_line()}; {needs_line()}")
    paper.line()


def server_of(status: Mapping[str, Any], log: Path) -> str:
    """Return which database runs, as the relay says it: its own private one."""
    said = str((status.get("redis") or {}).get("server") or "")
    if not said:
        found = _STARTED.search(log.read_text(encoding="utf-8", errors="replace"))
        said = found[1] if found else "database"
    return f"own {said}"


def fsync_of(status: Mapping[str, Any]) -> str:
    """Return how long one fsync of the journal took."""
    figure = ((status.get("journal") or {}).get("fsync_ms") or {}).get("p50")
    return f"one fsync {figure:.1f} ms" if isinstance(figure, int | float) else "fsynced"
