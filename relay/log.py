"""Logs: one JSON object a line on standard error, for the relay's own records and those of the libraries."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from structlog.processors import TimeStamper
from structlog.tracebacks import ExceptionDictTransformer

from relay.log_writer import LogWriter
from relay.redact import redact_fields

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_EXPLAIN = ExceptionDictTransformer(show_locals=False, max_frames=20)
_STAMP = TimeStamper(fmt="iso", utc=True, key="time")

# JSON escapes C0 by itself.  DEL and C1 can still steer a terminal, bidirectional marks can turn a line around, and
# U+2028/U+2029 end a line for some readers.  They occur only inside JSON strings, where an escape means the same.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")

Record = MutableMapping[str, Any]


def configure(level: str, *, fd: int = 2) -> LogWriter:
    """Send all logs of this process to the descriptor ``fd`` from now on, from ``level`` upwards.

    Return the writer, whose ``close`` writes what is left; it is also called when the process ends.
    """
    writer = LogWriter(fd)
    number = _LEVELS[level]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _Lines(writer),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_FromLibraries(writer)]
    root.setLevel(max(number, logging.INFO))
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda kind, error, trace: structlog.get_logger().critical(
        "uncaught", exc_info=(kind, error, trace)
    )
    return writer


def render(logger: object, method: str, record: Record) -> bytes:
    """Turn one record into one line of JSON without its end: stamped, exceptions explained, masked, escaped."""
    record = _STAMP(None, method, record)
    trouble = _exception(record.pop("exc_info", None))
    if trouble is not None:
        record["exception"] = _EXPLAIN(trouble)
    own = {name: record.pop(name) for name in ("time", "level") if name in record}
    first = {"event": record.pop("event")} if "event" in record else {}
    line = orjson.dumps({**own, **redact_fields({**first, **record})}, option=orjson.OPT_NON_STR_KEYS)
    return escape(line)


def escape(line: bytes) -> bytes:
    """Escape the characters of a JSON text that could steer a terminal or turn a line around."""
    text = line.decode("utf-8")
    if _UNSAFE.search(text) is None:
        return line
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _exception(info: object) -> Any:  # noqa: ANN401 - what sys.exc_info() gives
    if isinstance(info, BaseException):
        return (type(info), info, info.__traceback__)
    if isinstance(info, tuple):
        return info if info[0] is not None else None
    if info:
        current = sys.exc_info()
        return current if current[0] is not None else None
    return None


class _Lines:
    """The end of structlog's chain: every method writes one finished line."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer

    def msg(self, line: bytes) -> None:
        self._writer.write(line)

    debug = info = warning = error = critical = msg


class _FromLibraries(logging.Handler):
    """Records of the standard library's logging, written in the relay's form."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields: Record = {
                "event": record.getMessage(),
                "level": record.levelname.lower(),
                "logger": record.name,
                "exc_info": record.exc_info,
            }
            self._writer.write(render(None, "", fields))
        except Exception:  # noqa: BLE001 - a record that cannot be written must not stop what it tells about
            self.handleError(record)
