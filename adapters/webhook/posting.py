"""One call of ``send`` and its posts: each waits for its turn at its host, is written, and ends with an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from adapters.http import outcome_of, outcome_of_dial
from adapters.webhook.connection import Connection
from adapters.webhook.deadlines import Deadlines
from adapters.webhook.dial import Dialer
from adapters.webhook.hosts import Host, Hosts
from adapters.webhook.request import head
from adapters.webhook.signature import sign
from relay.adapter import Outcome, Scope, Verdict
from relay.clock import Clock

_DELIVERED: Final = Outcome(verdict=Verdict.DELIVERED)
_HOST_BUSY: Final = Outcome(verdict=Verdict.THROTTLED, reason="host_busy")
_CLOSED: Final = Outcome(verdict=Verdict.RETRY, reason="adapter_closed", scope=Scope.PROVIDER)
_CUT_OFF: Final = Outcome(verdict=Verdict.UNKNOWN, reason="connection_lost")
_TIMED_OUT: Final = Outcome(verdict=Verdict.UNKNOWN, reason="timeout")
_PLAIN_SUCCESS: Final = frozenset({200, 202, 204})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What all posts of an adapter share; ``most`` is how many bytes of an answer's body are read."""

    hosts: Hosts
    dialer: Dialer
    deadlines: Deadlines
    clock: Clock
    most: int


@dataclass(slots=True, kw_only=True)
class Message:
    """What is posted: ``path`` with the query, ``body``, and what Standard Webhooks adds; no ``keys``, no signature."""

    path: bytes
    message_id: bytes
    keys: tuple[bytes, ...]
    body: bytes

    def request(self, headers: bytes, *, timestamp: bytes) -> tuple[bytes, bytes]:
        """Return head and body; ``headers`` are those that every request to the host has."""
        signature = sign(self.keys, message_id=self.message_id, timestamp=timestamp, body=self.body)
        lines = head(
            self.path,
            headers,
            message_id=self.message_id,
            timestamp=timestamp,
            signature=signature,
            length=len(self.body),
        )
        return lines, self.body


class Posting:
    """One call of ``send``: the outcomes so far, and the posts that have none yet.

    ``by`` is the loop's time by which a post must have begun; ``tasks`` owns the connections being made; ``heard`` is
    told each outcome.
    """

    __slots__ = ("_by", "_done", "_heard", "_live", "_timer", "line", "outcomes", "tasks")

    def __init__(
        self, line: Line, size: int, tasks: asyncio.TaskGroup, heard: Callable[[Outcome], None], *, by: float
    ) -> None:
        self.line = line
        self.tasks = tasks
        self._heard = heard
        self.outcomes: list[Outcome] = [_HOST_BUSY] * size
        self._by = by
        self._live: dict[Post, None] = {}
        self._done: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, index: int, message: Message, host: Host, *, now: float) -> None:
        """Post ``message`` when it is its turn at ``host``; its outcome will be the ``index``-th."""
        post = Post(self, index, message, host, by=self._by)
        self._live[post] = None
        if not host.enter(post, now=now) and self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(self._by, self._give_up)

    async def finish(self) -> None:
        """Return when every post has its outcome; when this is cancelled, what is under way is cut off."""
        try:
            if self._live:
                self._done = asyncio.get_running_loop().create_future()
                await self._done
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self.cut_off()

    def cut_off(self) -> None:
        """End all posts now: what may have left is unknown."""
        for post in list(self._live):
            post.cut_off()

    def refuse(self, index: int, outcome: Outcome) -> None:
        """Note the outcome of an item that is not posted."""
        self.outcomes[index] = outcome
        self._heard(outcome)

    def settle(self, post: Post, outcome: Outcome) -> None:
        """Note the outcome of ``post``."""
        self.outcomes[post.index] = outcome
        self._heard(outcome)
        del self._live[post]
        if not self._live and self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _give_up(self) -> None:
        for post in list(self._live):
            post.give_up()


class Post:
    """One message on its way: a turn at its host, whoever asks its connection, and watched for taking too long."""

    __slots__ = ("_connection", "_dialing", "_host", "_message", "_posting", "_under_way", "by", "index")

    def __init__(self, posting: Posting, index: int, message: Message, host: Host, *, by: float) -> None:
        self.by = by
        self.index = index
        self._posting = posting
        self._message = message
        self._host = host
        self._under_way = False
        self._connection: Connection | None = None
        self._dialing: asyncio.Task[None] | None = None

    def begin(self, connection: Connection | None, *, now: float) -> None:
        """Write the message to ``connection``, or to one that is made first."""
        self._under_way = True
        self._posting.line.deadlines.add(self, now=now)
        if connection is not None:
            self._write(connection)
        else:
            self._dialing = self._posting.tasks.create_task(self._dial(), name=f"dial {self._host.origin.authority}")

    def refuse(self) -> None:
        """Be handed back: the host had no room in time."""
        self._posting.settle(self, _HOST_BUSY)

    def give_up(self) -> None:
        """Wait no longer for a turn."""
        if not self._under_way:
            self._host.forget(self)
            self._posting.settle(self, _HOST_BUSY)

    def answered(self, connection: Connection) -> None:
        """Read the outcome from the answer; the connection goes to the next in line."""
        self._host.silent = False
        answer = connection.answer
        outcome = _DELIVERED
        if answer.status not in _PLAIN_SUCCESS:
            headers = {"Retry-After": answer.retry_after.decode("latin-1")} if answer.retry_after else {}
            now = self._posting.line.clock.now()
            outcome = outcome_of(answer.status, headers, now=now, success=Verdict.DELIVERED)
        self._end(outcome, connection)

    def unanswered(self, reason: str) -> None:
        """Nobody knows whether the message was taken."""
        self._end(Outcome(verdict=Verdict.UNKNOWN, reason=reason), None)

    def time_out(self) -> None:
        """Take what has been heard; a host that said nothing is treated as silent from now on."""
        connection = self._connection
        if connection is None:
            return  # making a connection has a shorter time of its own
        connection.cut()
        if connection.answer.status:
            self.answered(connection)
        else:
            self._host.hush()
            self._end(_TIMED_OUT, None)

    def cut_off(self) -> None:
        """End now."""
        if not self._under_way:
            self._host.forget(self)
            self._posting.settle(self, _CLOSED)
            return
        if self._connection is not None:
            self._connection.cut()
            self._end(_CUT_OFF, None)
            return
        if self._dialing is not None:
            self._dialing.cancel()
        self._end(_CLOSED, None)

    async def _dial(self) -> None:
        line = self._posting.line
        try:
            connection = await line.dialer.dial(self._host.origin, lambda: Connection(line.most))
        except OSError as error:
            if self._under_way:
                if isinstance(error, TimeoutError):
                    self._host.hush()
                self._end(outcome_of_dial(error), None)
            return
        if not self._under_way:
            connection.cut()
        elif connection.usable:
            self._write(connection)
        else:  # the host hung up, or spoke, before anything was asked
            self._end(outcome_of_dial(ConnectionResetError()), None)

    def _write(self, connection: Connection) -> None:
        self._connection = connection
        timestamp = b"%d" % self._posting.line.clock.time()
        connection.ask(self._message.request(self._host.headers, timestamp=timestamp), self)

    def _end(self, outcome: Outcome, connection: Connection | None) -> None:
        line = self._posting.line
        self._under_way = False
        line.deadlines.discard(self)
        self._posting.settle(self, outcome)
        line.hosts.leave(self._host, connection, now=asyncio.get_running_loop().time())
