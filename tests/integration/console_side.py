"""The operators' pages behind the real HTTP application, with a situation that a test makes up."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
from yarl import URL

from relay.api.server import Listener
from relay.api.services import Services
from relay.console.pages import Pages
from relay.console.services import Console
from relay.console.sessions import Sessions
from relay.errors import InvalidInput
from relay.intake.authority import Key, Role
from relay.intake.quota import Quota
from relay.intake.register import Register
from relay.settings import Api, Settings
from relay.testing.clocks import FakeClock
from tests.unit.console.situations import CALM

TRIES = 5


@dataclass
class Operators:
    """Records what was decided and switched; ``failure`` is raised instead."""

    done: list[tuple[str, ...]] = field(default_factory=list)
    failure: Exception | None = None

    def _do(self, *what: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.done.append(what)

    async def approve(self, alert_id: str, *, decision: str, reason: str, key: Key) -> str:
        if alert_id == "decided":
            raise InvalidInput("not-held", "the alert is active", status=409)
        self._do(decision, alert_id, reason, key.name)
        return "accepted"

    async def stop(self, *, reason: str, key: Key) -> None:
        self._do("stop", reason, key.name)

    async def resume(self, *, reason: str, key: Key) -> None:
        self._do("resume", reason, key.name)

    async def pause(self, channel: str, *, reason: str, key: Key) -> None:
        self._do("pause", channel, reason, key.name)

    async def resume_channel(self, channel: str, *, reason: str, key: Key) -> None:
        self._do("resume-channel", channel, reason, key.name)


class Absent:
    """The rest of the relay, which no page needs."""

    def __getattr__(self, name: str) -> Absent:
        return self


class Rest(Absent):
    """What the API needs besides, to tell who asks."""

    def __init__(self, register: Register, settings: Settings, clock: FakeClock) -> None:
        self.register = register
        self.settings = settings
        self.clock = clock


class Office:
    """A served console: its register, its sessions, and one browser."""

    def __init__(self, data_dir: Path, *, tls: bool, settings: Settings, clock: FakeClock) -> None:
        self.clock = clock
        self.register = Register.open(data_dir, clock=clock)
        self.operator = self.register.create(role=Role.OPERATOR, name="Duty officer 1")
        self.approver = self.register.create(role=Role.APPROVER, name="Approver")
        self.agency = self.register.create(role=Role.AGENCY, name="Hydromet", senders=["*@meteo.example"])
        self.situation: Mapping[str, Any] = CALM
        self.answer: Callable[[], Awaitable[Mapping[str, Any]]] = self._situation
        self.operators = Operators()
        self.sessions = Sessions(clock=clock)
        self.pages = Pages(
            Console(
                status=self._status,
                keys=self.register,
                decisions=self.operators,
                controls=self.operators,
                sessions=self.sessions,
                sign_ins=Quota(per_minute=TRIES, clock=clock),
                client=lambda request: request.remote or "",
                clock=clock,
                origin="https://alert.example",
                tls=tls,
            )
        )
        rest = Rest(self.register, settings, clock)
        self.listener = Listener(cast("Services", rest), console=self.pages)
        self.url = URL()
        self.http: aiohttp.ClientSession

    async def _status(self) -> Mapping[str, Any]:
        return await self.answer()

    async def _situation(self) -> Mapping[str, Any]:
        return {**self.situation, "time": self.clock.now().isoformat()}

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        """Ask as a browser does, redirects not followed."""
        asked = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", **headers}
        return await self.http.get(self.url.join(URL(path)), headers=asked, allow_redirects=False)

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> aiohttp.ClientResponse:
        """Send a form as a browser does from our own page; an empty header is left out."""
        sent = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", **headers}
        sent = {name: value for name, value in sent.items() if value}
        return await self.http.post(self.url.join(URL(path)), data=form, headers=sent, allow_redirects=False)

    async def sign_in(self, credential: str | None = None) -> aiohttp.ClientResponse:
        """Sign in with a key, the operator's by default."""
        return await self.post("/status/sign-in", {"key": credential or self.operator.credential})

    async def token(self, ask: str = "stop", about: str = "") -> str:
        """Return the form token that a question carries."""
        response = await self.get(f"/status?ask={ask}&about={about}")
        found = re.search(r'name="csrf" value="([^"]+)"', await response.text())

        assert found is not None
        return found[1]


@asynccontextmanager
async def served(data_dir: Path, *, tls: bool = False, clock: FakeClock | None = None) -> AsyncIterator[Office]:
    """Serve the pages on a port of this machine."""
    settings = Settings(api=Api(port=0, drain=0.5))
    office = Office(data_dir, tls=tls, settings=settings, clock=clock or FakeClock())
    await office.listener.start()
    office.url = URL(office.listener.url)
    # Addresses are numbers here, and cookies of numbers are kept only when that is asked for.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        office.http = http
        try:
            yield office
        finally:
            await office.listener.stop()
