"""Imports: lines, errors with their place, and the report."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Sequence

import orjson
import pytest

from relay.directory.egress import Guard
from relay.directory.importing import (
    MAX_ERRORS,
    MAX_LINE,
    LineError,
    LineRecipient,
    Lines,
    Report,
    last_wins,
    parse_lines,
)


def line(recipient_id: str, number: str = "+77010000007") -> bytes:
    return orjson.dumps({"id": recipient_id, "addresses": [{"kind": "sms", "value": number}]})


async def read(chunks: Sequence[bytes]) -> list[LineRecipient | LineError]:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return [item async for item in parse_lines(stream(), guard=Guard(), make_secret=lambda: "made")]


def short(items: Sequence[LineRecipient | LineError]) -> list[tuple[int, str]]:
    return [(i.line, i.parsed.recipient.id if isinstance(i, LineRecipient) else "!" + i.path) for i in items]


BODY = b"\xef\xbb\xbf" + line("a") + b"\r\n\n" + line("b", "112") + b"\n   \n{broken\n" + line("c")
EXPECTED = [(1, "a"), (3, "!/addresses/0/value"), (5, "!"), (6, "c")]


@pytest.mark.parametrize("size", [1, 2, 7, 50, 10_000])
async def test_lines_are_the_same_however_the_bytes_come(size: int) -> None:
    """Chunk borders, a byte order mark, blank lines, CRLF and a missing last line end change nothing."""
    chunks = [BODY[start : start + size] for start in range(0, len(BODY), size)]

    assert short(await read(chunks)) == EXPECTED


async def test_empty_body() -> None:
    """Nothing in, nothing out."""
    assert await read([]) == []
    assert await read([b"", b"\n\n"]) == []


async def test_line_that_is_too_long_costs_only_itself() -> None:
    """A line beyond the bound is refused with its number, and the next one is taken."""
    long = line("a" + "x" * MAX_LINE)

    items = await read([long[:100], long[100:] + b"\n" + line("b")])

    assert short(items) == [(1, "!"), (2, "b")]
    assert isinstance(items[0], LineError)
    assert str(MAX_LINE) in items[0].message


def test_line_bound_is_exact() -> None:
    """A line of the bound's length is a line, with either line end; one byte more is not."""
    fits, over = b"x" * MAX_LINE, b"x" * (MAX_LINE + 1)

    lines = list(Lines().feed(fits + b"\n" + fits + b"\r\n" + over + b"\n" + over + b"x\n"))

    assert lines == [(1, fits), (2, fits), (3, None), (4, None)]


def test_endless_line_takes_no_memory() -> None:
    """A hundred megabytes without a line end are not collected."""
    lines = Lines()
    chunk = b"x" * 1_000_000
    tracemalloc.start()

    for _ in range(100):
        assert list(lines.feed(chunk)) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 5_000_000
    assert list(lines.finish()) == [(1, None)]


async def test_last_of_a_repeated_id_wins() -> None:
    """When an id comes twice the later line is what is stored."""
    items = await read([line("a", "+77010000001") + b"\n" + line("b") + b"\n" + line("a", "+77010000002")])

    kept = last_wins([item for item in items if isinstance(item, LineRecipient)])

    assert {(item.parsed.recipient.id, item.parsed.recipient.addresses[0].value) for item in kept} == {
        ("a", "+77010000002"),
        ("b", "+77010000007"),
    }


def test_report_counts_all_and_lists_the_first() -> None:
    """A list that is wrong throughout has a bounded answer with a true count."""
    report = Report()
    report.stored(created=3, updated=1)
    report.stored(created=0, updated=2)
    for number in range(MAX_ERRORS + 5):
        report.refused(LineError(line=number + 1, path="/id", message="no"))

    shown = report.to_dict()

    assert (shown["imported"], shown["updated"], shown["failed"]) == (3, 3, MAX_ERRORS + 5)
    assert len(shown["errors"]) == MAX_ERRORS
    assert shown["errors"][0] == {"line": 1, "path": "/id", "message": "no"}
