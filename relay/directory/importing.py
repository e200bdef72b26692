"""A list of recipients, one JSON object a line, read as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from relay.adapter import EgressGuard
from relay.directory.recipient import Parsed, parse
from relay.errors import InvalidInput

MAX_LINE: Final = 64 * 1024  # bytes
MAX_ERRORS: Final = 1_000  # that are listed; the rest is counted
_TURN: Final = 64  # lines between two breaths of the event loop


@dataclass(frozen=True, slots=True, kw_only=True)
class LineError:
    """Why one line was not taken; ``line`` counts from 1, blank lines too, ``path`` is a JSON Pointer."""

    line: int
    path: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRecipient:
    """A recipient and the line it stood on."""

    line: int
    parsed: Parsed


@dataclass(slots=True)
class Report:
    """What an import led to; the answer's shape is :meth:`to_dict`."""

    imported: int = 0
    updated: int = 0
    failed: int = 0
    errors: list[LineError] = field(default_factory=list)

    def stored(self, *, created: int, updated: int) -> None:
        """Count recipients that are stored now."""
        self.imported += created
        self.updated += updated

    def refused(self, error: LineError) -> None:
        """Count a line that was not taken; only the first errors are kept."""
        self.failed += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(error)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"imported", "updated", "failed", "errors": [{"line", "path", "message"}]}``."""
        return {
            "imported": self.imported,
            "updated": self.updated,
            "failed": self.failed,
            "errors": [{"line": e.line, "path": e.path, "message": e.message} for e in self.errors],
        }


class Lines:
    """Cuts chunks of bytes into numbered lines and never holds more than one line's bound.

    A line beyond ``MAX_LINE`` is given as None in its place and skipped to its end.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._number = 0
        self._too_long = False

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes | None]]:
        """Yield the lines that ``chunk`` completes; take all of them before the next chunk."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._keep(chunk[start:end])
            yield self._take()
            start = end + 1
        self._keep(chunk[start:])

    def finish(self) -> Iterator[tuple[int, bytes | None]]:
        """Yield the last line when it has no line end."""
        if self._rest or self._too_long:
            yield self._take()

    def _keep(self, piece: bytes) -> None:
        if self._too_long or len(self._rest) + len(piece) > MAX_LINE + 1:  # one more for a carriage return
            self._too_long = True
            self._rest.clear()
            return
        self._rest += piece

    def _take(self) -> tuple[int, bytes | None]:
        line = None if self._too_long else bytes(self._rest).strip(b" \t\r")
        self._rest.clear()
        self._too_long = False
        self._number += 1
        if self._number == 1 and line is not None:
            line = line.removeprefix(b"\xef\xbb\xbf")
        return self._number, line if line is None or len(line) <= MAX_LINE else None


def parse_line(
    number: int, line: bytes | None, *, guard: EgressGuard, make_secret: Callable[[], str]
) -> LineRecipient | LineError:
    """Return the recipient of one line, or why it is refused; None stands for a line that was too long."""
    if line is None:
        return LineError(line=number, path="", message=f"the line is longer than {MAX_LINE} bytes")
    try:
        return LineRecipient(line=number, parsed=parse(line, guard=guard, make_secret=make_secret))
    except InvalidInput as error:
        first = error.findings[0] if error.findings else None
        return LineError(
            line=number, path=first.path if first else "", message=first.message if first else error.detail
        )


async def parse_lines(
    chunks: AsyncIterable[bytes], *, guard: EgressGuard, make_secret: Callable[[], str]
) -> AsyncIterator[LineRecipient | LineError]:
    """Yield a recipient or an error for every line that is not blank, in order, as the chunks come.

    ``chunks`` are cut anywhere.  A long list does not hold up the event loop.
    """
    lines = Lines()
    async for chunk in chunks:
        for number, line in lines.feed(chunk):
            if line != b"":
                yield parse_line(number, line, guard=guard, make_secret=make_secret)
            if number % _TURN == 0:
                await asyncio.sleep(0)
    for number, line in lines.finish():
        if line != b"":
            yield parse_line(number, line, guard=guard, make_secret=make_secret)


def last_wins(batch: Sequence[LineRecipient]) -> list[LineRecipient]:
    """Return ``batch`` without those whose id comes again later in it; what is dropped counts as updated."""
    last = {item.parsed.recipient.id: item for item in batch}
    return list(last.values())
