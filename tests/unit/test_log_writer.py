"""Log lines reach their reader in order, and a reader that does not read stops nobody."""

import fcntl
import os
import re
import time
from pathlib import Path

from relay.log_writer import LogWriter


def test_lines_come_in_order_and_whole(tmp_path: Path) -> None:
    """What was written before the end is there after it."""
    with (tmp_path / "log").open("wb") as file:
        writer = LogWriter(file.fileno())
        for number in range(1000):
            writer.write(b"%d" % number)
        writer.close(within=20)
        writer.close()

    assert (tmp_path / "log").read_bytes().split() == [b"%d" % number for number in range(1000)]


def test_blocked_reader_stops_nobody() -> None:
    """With a full pipe, writing returns at once, what is too much is counted, and the count is told later."""
    reader, pipe = os.pipe()
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
    writer = LogWriter(pipe, most=10)
    began = time.monotonic()
    for _ in range(200):
        writer.write(b"x" * 1000)
    took = time.monotonic() - began
    writer.close(within=0.05)
    seen = b""
    while b"log_lines_dropped" not in seen:
        seen += os.read(reader, 65536)
    writer.close(within=20)
    os.close(pipe)
    while more := os.read(reader, 65536):
        seen += more
    os.close(reader)
    told = sum(int(count) for count in re.findall(rb'"count":(\d+)', seen))

    assert took < 5
    assert told > 100
    assert told + seen.count(b"x" * 1000) == 200


def test_closed_reader_stops_nobody() -> None:
    """A log whose reader has gone away is given up silently."""
    reader, pipe = os.pipe()
    os.close(reader)
    writer = LogWriter(pipe)
    writer.write(b"nobody reads this")
    writer.close(within=20)
    os.close(pipe)

    assert writer.dropped == 0
