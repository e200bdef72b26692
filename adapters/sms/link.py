"""Keeping one bind up: connect, bind, watch, and come again after a pause."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from adapters.sms.codec import CodecError
from adapters.sms.faults import BindRefused, NotBound
from adapters.sms.pdu import Bind
from adapters.sms.session import Deliver, Log, Session
from adapters.sms.settings import Settings
from adapters.sms.status import meaning

_STABLE: Final = 10.0  # a bind that lived this long was good; the pauses begin anew


class Link:
    """One bind that is kept up until :meth:`run` is cancelled.

    ``session`` is the bound connection or None; then ``reason`` is a stable code and ``fault`` a sentence for the
    operator.  ``tried`` is set when the first attempt has ended.  ``jitter`` returns a number from -1 to 1.
    """

    def __init__(self, settings: Settings, *, deliver: Deliver, log: Log, jitter: Callable[[], float]) -> None:
        self._settings = settings
        self._deliver = deliver
        self._log = log
        self._jitter = jitter
        self._next_try = 0.0
        self.session: Session | None = None
        self.reason = "not_bound"
        self.fault = "not connected yet"
        self.tried = asyncio.Event()

    @property
    def retry_after(self) -> float:
        """Seconds until the next attempt, 0 while one runs."""
        return max(0.0, self._next_try - asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Keep the bind up; ends by cancellation only."""
        loop = asyncio.get_running_loop()
        pauses = self._settings.reconnect
        failures = 0
        while True:
            lived = await self._hold()
            self.tried.set()
            failures = 1 if lived >= _STABLE else failures + 1
            pause = pauses[min(failures, len(pauses)) - 1] * (1 + 0.2 * self._jitter())
            self._next_try = loop.time() + pause
            await asyncio.sleep(pause)

    async def _hold(self) -> float:
        """Connect and bind once, and return when that bind is gone: the seconds it lived."""
        try:
            session = await self._bind()
        except BindRefused as error:
            self._failed(meaning(error.status).reason, str(error))
            return 0.0
        except (OSError, NotBound, CodecError, UnicodeError) as error:
            # TimeoutError and SSL errors are OSErrors; a host name that is none is a UnicodeError.
            self._failed("not_connected", str(error) or type(error).__name__)
            return 0.0
        self.session, self.reason, self.fault = session, "", ""
        began = asyncio.get_running_loop().time()
        self.tried.set()
        self._log.info("smpp_bound")
        try:
            why = await asyncio.shield(session.closed)
        finally:
            self.session = None
            session.abort("closing")
        if why != "unbound":
            self._failed("connection_lost", f"the connection was lost: {why}")
        return asyncio.get_running_loop().time() - began

    async def _bind(self) -> Session:
        wanted = self._settings
        async with asyncio.timeout(wanted.connect_timeout):
            context, password = await asyncio.to_thread(_secrets, wanted)
            _transport, session = await asyncio.get_running_loop().create_connection(
                self._session, wanted.host, wanted.port, ssl=context
            )
        bind = Bind(system_id=wanted.system_id, password=password, system_type=wanted.system_type)
        bound = False
        try:
            await session.bind(bind)
            bound = True
        finally:
            if not bound:
                session.abort("not bound")
        return session

    def _session(self) -> Session:
        return Session(
            window=self._settings.window,
            response_timeout=self._settings.response_timeout,
            enquire_link=self._settings.enquire_link,
            deliver=self._deliver,
            log=self._log,
        )

    def _failed(self, reason: str, fault: str) -> None:
        self.reason, self.fault = reason, fault
        self._log.warning("smpp_not_bound", reason=reason, fault=fault)


def _secrets(settings: Settings) -> tuple[ssl.SSLContext | None, str]:
    """Read what lies in files, in a thread; anew for every bind, so that a changed password needs no restart."""
    context = ssl.create_default_context(cafile=settings.tls_ca_file) if settings.tls else None
    if settings.password_file is None:
        return context, settings.password.get_secret_value()
    return context, settings.password_file.read_text(encoding="utf-8").strip()
