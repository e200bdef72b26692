"""The show: set everything up, play the scenes one after the other, clear everything away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relay.clock import Clock, SystemClock
from relay.demo import earthquake, endings, folder, killing, mistakes, overtaking
from relay.demo.alerts import KAZAKHSTAN, SENDER
from relay.demo.beginning import introduce, wait_until_ready
from relay.demo.child import RelayProcess
from relay.demo.configuration import PORT, Places, claim_port, to_toml
from relay.demo.crowd import Crowd
from relay.demo.faults import Fault
from relay.demo.paper import Paper, seconds, shown_path
from relay.demo.people import make_secret, people_ndjson
from relay.demo.receivers import Receivers
from relay.demo.stage import Scene, Stage, Verdict
from relay.settings import overrides

WHERE: Final = Path("var/demo")


@dataclass(frozen=True, slots=True)
class Act:
    """A scene with its title and the seconds it may take at most."""

    title: str
    scene: Scene
    within: float


ACTS: Final[Sequence[Act]] = (
    Act("Hydromet posts an earthquake alert: CAP 1.2, ru + kk + en", earthquake.scene, 40),
    Act("The same alert again", mistakes.again, 10),
    Act("A broken one: lon,lat for lat,lon", mistakes.broken, 10),
    Act("A flash alert behind 20,000 low ones", overtaking.scene, 60),
    Act("kill -9 of the worker in the middle of 2,000 deliveries", killing.scene, 60),
    Act("Hydromet cancels the earthquake", endings.cancelled, 20),
    Act("A drill", endings.exercised, 20),
)


def main(*, stay: bool) -> int:
    """Run the demo in ``./var/demo`` and end the process: 0 when everything was as promised, else 1.

    ``stay`` keeps the relay and its status page running until Ctrl-C.
    """
    # The shell of a script lets what it starts in the background ignore Ctrl-C; whoever sends it that means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = run(Paper(sys.stdout), WHERE, stay=stay)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    # The SMS centre's native threads can abort an interpreter that tidies up while they run; all is tidy already.
    os._exit(code)


def run(paper: Paper, where: Path, *, stay: bool) -> int:
    """Run the demo in the folder ``where``, stop everything that was started, and return the exit code."""
    try:
        return asyncio.run(_show(paper, where, stay=stay))
    except Fault as error:
        paper.line(f"The demo cannot go on: {error}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        paper.line("Ended before the last scene. Everything that was started is stopped.")
    except BrokenPipeError:
        pass  # nobody reads any more
    return 1


async def _show(paper: Paper, where: Path, *, stay: bool) -> int:
    _end_in_order()
    clock = SystemClock()
    began = clock.monotonic()
    async with _stage(paper, where, clock=clock) as stage:
        failed = await play(stage, ACTS)
        close(paper, stage.places, failed, took=clock.monotonic() - began)
        if stay:
            await _stay(stage)
    return 1 if failed else 0


def _end_in_order() -> None:
    """Let a closed terminal and a polite kill do what Ctrl-C does."""
    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


@asynccontextmanager
async def _stage(paper: Paper, where: Path, *, clock: Clock) -> AsyncIterator[Stage]:
    """Set up folder, receivers and relay, and take them down in reverse order."""
    secret = make_secret()
    async with AsyncExitStack() as stack:
        stack.callback(folder.take(where).close)
        receivers = await stack.enter_async_context(Receivers(secret=secret))
        port, claim = claim_port(PORT, claims=Path(tempfile.gettempdir()))
        if claim is not None:
            stack.callback(claim.close)
        places = _places(where, receivers, port)
        places.config.write_text(to_toml(places), encoding="utf-8")
        process = RelayProcess(places, leave=overrides())
        stack.push_async_callback(process.stop)
        began = clock.monotonic()
        await process.start()
        ready = await wait_until_ready(places, process, receivers, paper, clock=clock)
        stack.push_async_callback(ready.relay.close)
        agency = await ready.relay.create_key(name="hydromet", sender=SENDER, area=KAZAKHSTAN)
        await introduce(paper, places, ready, took=ready.at - began)
        await ready.relay.import_people(people_ndjson(hooks=receivers.hooks.url(""), secret=secret))
        yield Stage(
            relay=ready.relay,
            process=process,
            receivers=receivers,
            crowd=Crowd(places.crowd),
            paper=paper,
            places=places,
            clock=clock,
            agency=agency,
        )


def _places(where: Path, receivers: Receivers, port: int) -> Places:
    return Places(
        folder=where,
        api=port,
        smsc=receivers.smsc.settings,
        smtp=receivers.mail.port,
        hooks=receivers.hooks.port,
    )


async def play(stage: Stage, acts: Sequence[Act]) -> list[int]:
    """Play the scenes and return the numbers of those that were not as promised."""
    failed = []
    for number, act in enumerate(acts, start=1):
        stage.process.check()
        stage.paper.scene(number, act.title)
        began = stage.clock.monotonic()
        verdict = await _played(stage, act)
        took = seconds(stage.clock.monotonic() - began)
        stage.paper.detail(f"{'✓' if verdict.kept else '✗'} {verdict.says}   [{took}]")
        for reason in verdict.broken:
            stage.paper.detail(f"  {reason}")
        if not verdict.kept:
            failed.append(number)
    return failed


async def _played(stage: Stage, act: Act) -> Verdict:
    try:
        async with asyncio.timeout(act.within):
            return await act.scene(stage)
    except TimeoutError:
        return Verdict("not finished", [f"it took longer than {act.within:.0f} s"])
    except Fault as error:
        return Verdict("not as promised", [str(error)])
    except (LookupError, TypeError, ValueError, OSError) as error:
        # An answer of another shape than the design says is a promise broken, not a fault of the audience.
        return Verdict("not as promised", [f"an answer cannot be read: {type(error).__name__} {error}"])


def close(paper: Paper, places: Places, failed: Sequence[int], *, took: float) -> None:
    """Say how it all went, and what to do next; ``failed`` are numbers of scenes, ``took`` seconds."""
    paper.line()
    if failed:
        which = ", ".join(map(str, failed))
        paper.line(f"Not as promised: {which} of {len(ACTS)}. The relay's own words: {shown_path(places.log)}")
        return
    paper.line(f"All {len(ACTS)} did what they promise: {took:.0f} s. Nothing left this machine.")
    paper.named("See it", "./run demo --stay     status page, opens signed in")
    paper.named("Your own", "./run serve           then README.md: your first alert in five minutes")


async def _stay(stage: Stage) -> None:
    """Say where the status page is and wait for Ctrl-C."""
    paper, link = stage.paper, stage.process.sign_in_link
    paper.line()
    if link:
        paper.named("Status", f"{link}   (opens signed in, good once)")
    else:
        key = shown_path(stage.places.data / "admin.key")
        paper.named("Status", f"{stage.places.url}/status   (sign in with the key in {key})")
    paper.named("", "Ctrl-C ends everything.")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        paper.line("Ending.")
