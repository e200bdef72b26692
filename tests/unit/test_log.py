"""The form of a log line."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson

from relay.log import escape, render


def test_record_is_one_line_of_json() -> None:
    """Line ends in a value never make a second line, and time, level and event come first."""
    line = render(
        None, "info", {"event": "child_died", "level": "error", "error": "first\nsecond\r\x1b[31m", "code": -9}
    )

    assert b"\n" not in line
    assert line.startswith(b'{"time":"')
    assert b"\x1b" not in line
    assert orjson.loads(line)["error"] == "first\nsecond\r\x1b[31m"


def test_characters_that_steer_a_terminal_are_escaped() -> None:
    """C1 controls, bidirectional marks and exotic line ends are visible, and mean the same to a JSON reader."""
    text = "a\x9b31m\u202egnp.exe\u2028b\x7f\u2066"
    line = orjson.dumps({"event": text})
    escaped = escape(line)

    assert escaped.isascii()
    assert orjson.loads(escaped) == {"event": text}
    assert escape(orjson.dumps({"event": "жер сілкінісі"})).decode() == '{"event":"жер сілкінісі"}'


def test_exception_is_structure_on_the_same_line() -> None:
    """A traceback is one value on one line, with what it says masked."""
    try:
        int("duty@rescue7.example")
    except ValueError as error:
        line = render(None, "error", {"event": "failed", "exc_info": error})
    [explained] = orjson.loads(line)["exception"]

    assert explained["exc_type"] == "ValueError"
    assert explained["exc_value"] == "invalid literal for int() with base 10: '***@rescue7.example'"
    assert explained["frames"]
    assert b"\n" not in line


PROGRAM = """
import logging, warnings
import structlog
from relay.log import configure
log = structlog.get_logger()
configure("info")
log.debug("not_shown")
log.info("shown", number="+77010000007")
logging.getLogger("aiohttp.access").warning("from %s", "a library")
warnings.warn("old habit")
try:
    {}["missing"]
except KeyError:
    log.exception("adapter_bug", channel="sms-primary")
raise RuntimeError("the end")
"""


def test_everything_a_process_says_is_in_our_form() -> None:
    """Own records, libraries, warnings and the last exception all come as JSON lines on standard error, in order."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=False, cwd=Path.cwd(), timeout=60)
    records: list[dict[str, Any]] = [orjson.loads(line) for line in done.stderr.splitlines()]

    assert done.stdout == b""
    assert done.returncode == 1
    assert [record["level"] for record in records] == ["info", "warning", "warning", "error", "critical"]
    assert records[0]["number"] == "+***07"
    assert (records[1]["event"], records[1]["logger"]) == ("from a library", "aiohttp.access")
    assert "old habit" in records[2]["event"]
    assert records[3]["exception"][0]["exc_type"] == "KeyError"
    assert records[4]["exception"][0]["exc_value"] == "the end"
