"""E-mail over SMTP submission: pooled connections, one recipient a transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self, cast

import aiosmtplib
from pydantic import BaseModel, Field, SecretStr, model_validator

from adapters.email.address import is_mailbox
from adapters.email.connections import Connection, Pool, tls_context
from adapters.email.message import Composer
from adapters.email.replies import outcome_of_connecting
from relay.adapter import Batch, Descriptor, Item, Kind, Outcome, Scope, Services, Verdict
from relay.errors import ConfigError, ProviderDown

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

_PORTS = {"none": 25, "starttls": 587, "implicit": 465}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_BAD_ADDRESS = Outcome(verdict=Verdict.REJECTED, reason="bad_address")
_BUSY = Outcome(verdict=Verdict.THROTTLED, reason="provider_busy", scope=Scope.PROVIDER)


class SmtpSettings(BaseModel, frozen=True, extra="forbid"):
    """What an operator writes under ``[channels.<name>.settings]``.

    ``tls`` is how the connection is protected; there is no downgrade.  ``port`` 0 takes the usual one.  ``password``
    may come from ``password_file``.  ``connections`` are kept to the provider, each for ``messages_per_connection``;
    ``timeout`` is for one message, in seconds, and ``start_within`` is how long a message waits for its turn.
    ``ca_file`` adds a private certificate authority; ``hello`` is the name given in EHLO (the public host).
    """

    host: str
    port: int = Field(0, ge=0, le=65535)
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    sender: str
    connections: int = Field(8, ge=1, le=64)
    messages_per_connection: int = Field(100, ge=1)
    timeout: float = Field(15.0, gt=0, le=300)
    start_within: float = Field(10.0, gt=0, le=300)
    ca_file: str = ""
    hello: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        Composer(sender=self.sender, host="localhost")
        if self.username and self.tls == "none" and self.host not in _LOOPBACK:
            raise ValueError("a password is not sent in clear: set tls to starttls or implicit")
        return self


class Smtp:
    """Hands mail to one submission server; accepted means queued there, not read."""

    descriptor: ClassVar[Descriptor] = Descriptor(
        name="smtp", kind=Kind.EMAIL, settings=SmtpSettings, idempotent=False, max_batch=64, max_in_flight=512
    )

    def __init__(self, settings: BaseModel, services: Services) -> None:
        self._settings = cast("SmtpSettings", settings)
        self._services = services
        self._log = cast("BoundLogger", services.log)
        self._composer = Composer(sender=self._settings.sender, host=services.public_host)
        self._pool: Pool | None = None
        self._sends = 0
        self._idle = asyncio.Event()

    async def open(self) -> None:
        """Read the password and the certificates; connections are made when there is something to send.

        Raises:
            ConfigError: a file of the settings cannot be read.
        """
        if self._pool is not None:
            return
        s = self._settings
        try:
            context = await asyncio.to_thread(tls_context, s.ca_file) if s.tls != "none" else None
            password = s.password.get_secret_value()
            if s.password_file is not None:
                password = (await asyncio.to_thread(s.password_file.read_text, encoding="utf-8")).strip()
        except OSError as error:
            raise ConfigError(f"smtp: cannot read {error.filename or s.ca_file}: {error.strerror}") from error

        def client() -> aiosmtplib.SMTP:
            return aiosmtplib.SMTP(
                hostname=s.host,
                port=s.port or _PORTS[s.tls],
                username=s.username or None,
                password=password if s.username else None,
                local_hostname=s.hello or self._services.public_host,
                timeout=s.timeout,
                use_tls=s.tls == "implicit",
                start_tls=s.tls == "starttls",
                tls_context=context,
            )

        self._pool = Pool(client, size=s.connections, messages=s.messages_per_connection, timeout=s.timeout)

    async def close(self, *, deadline: float) -> None:
        """Wait ``deadline`` seconds for what is in flight, then cut it off."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(deadline):
                while self._sends:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            self._log.warning("smtp_close_cuts_off", sends=self._sends)
        await pool.close()

    async def health(self) -> str:
        """Return an empty string when the provider greets us and lets us in, else a sentence."""
        if self._pool is None:
            return "the channel is closed"
        try:
            connection = await self._pool.take(by=self._by())
            if connection is None:
                return "the mail server keeps all connections busy: none came free in time"
            try:
                code = await connection.noop()
            except BaseException:
                connection.usable = False
                raise
            finally:
                await self._pool.give(connection)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            outcome = outcome_of_connecting(error)
            return f"the mail server does not take mail now: {outcome.reason} {outcome.detail}".strip()
        return "" if code == 250 else f"the mail server answers {code}"

    async def send(self, batch: Batch) -> Sequence[Outcome]:
        """Hand over each item in its own transaction, over several connections at once.

        Raises:
            ProviderDown: the adapter is closed.
        """
        if self._pool is None:
            raise ProviderDown("adapter_closed")
        mailing = _Mailing(self._pool, deque(enumerate(batch)), [_BUSY] * len(batch), self._by())
        self._sends += 1
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(min(len(batch), self._settings.connections)):
                    tasks.create_task(self._lane(mailing), name=f"smtp lane {number}")
        finally:
            self._sends -= 1
            self._idle.set()
        # What no lane took: all of them met a provider that is down, or the time to start was up.
        for index, _ in mailing.waiting:
            mailing.outcomes[index] = mailing.trouble or _BUSY
        return mailing.outcomes

    async def _lane(self, mailing: _Mailing) -> None:
        """Send one item after the other over one connection at a time, until the provider fails."""
        while mailing.waiting and mailing.by > asyncio.get_running_loop().time():
            try:
                connection = await mailing.pool.take(by=mailing.by)
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                mailing.trouble = outcome_of_connecting(error)
                return
            if connection is None:
                return
            try:
                lost = await self._use(connection, mailing)
            finally:
                await mailing.pool.give(connection)
            if lost:
                return

    async def _use(self, connection: Connection, mailing: _Mailing) -> bool:
        """Send over ``connection`` until it is worn out, the work is done or it is lost; return whether it is lost."""
        fresh = connection.transactions == 0
        limit = self._settings.messages_per_connection
        sent = 0
        while mailing.waiting and connection.usable and connection.transactions < limit:
            if asyncio.get_running_loop().time() >= mailing.by or (sent and not connection.connected):
                return False
            index, item = mailing.waiting.popleft()
            outcome = await self._deliver(connection, item)
            if not connection.usable and not fresh and outcome.verdict is Verdict.RETRY:
                # A kept connection that the server had closed meanwhile: nothing left, a new one is tried.
                mailing.waiting.appendleft((index, item))
                return False
            fresh = True
            sent += 1
            mailing.outcomes[index] = outcome
            if not connection.usable and outcome.scope in (Scope.PROVIDER, Scope.CONFIG):
                mailing.trouble = replace(outcome, verdict=Verdict.RETRY)
                return True
        return False

    async def _deliver(self, connection: Connection, item: Item) -> Outcome:
        if reason := item.hindrance():
            return Outcome.hindered(reason)
        if not is_mailbox(item.address):
            return _BAD_ADDRESS
        try:
            message = self._composer.compose(item, now=self._services.clock.now())
        except ValueError:
            return Outcome(verdict=Verdict.REJECTED, reason="bad_delivery_id", scope=Scope.MESSAGE)
        outcome = await connection.deliver(self._composer.envelope, item.address, message)
        if outcome.verdict is Verdict.ACCEPTED and not outcome.provider_ids:
            return replace(outcome, provider_ids=(self._composer.message_id(item),))
        return outcome

    def _by(self) -> float:
        return asyncio.get_running_loop().time() + self._settings.start_within


@dataclass(slots=True)
class _Mailing:
    """One call of ``send``: what waits, what came of the rest, and what stopped the last lane that stopped."""

    pool: Pool
    waiting: deque[tuple[int, Item]]
    outcomes: list[Outcome]
    by: float
    trouble: Outcome | None = None
