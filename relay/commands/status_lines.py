"""The state of the relay as lines of text: at most twenty of them for a thin link (people.md b, 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relay.commands.shapes import WORDS, headline
from relay.commands.terminal import Sheet, clean, plain

FEW = 4
"""Rows a section has while watching, so that a frame has at most 20 lines."""

_ALL = 50

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a watcher sees: the last answer, when it came (monotonic seconds), and what is wrong since, if anything."""

    url: str
    document: Row | None = None
    at: float = 0.0
    trouble: str = ""


def frame_lines(frame: Frame, *, now: float, most: int) -> list[str]:
    """Return a frame; a picture that stopped looks stopped."""
    head = []
    if frame.trouble:
        head.append(f"NO NEWS: {clean(frame.trouble)}")
        if frame.document is not None:
            head.append(f"what follows is {ago(now - frame.at)} old")
    if frame.document is None:
        return head
    # One row less where the trouble stands, so that the frame keeps its height.
    return head + status_lines(frame.document, url=frame.url, most=most - 1 if head else most)


def status_lines(document: Row, *, url: str, most: int = _ALL) -> list[str]:
    """Return the state of the relay; each section shows ``most`` rows and says how many there are besides."""
    sending = "ALL SENDING IS STOPPED" if document.get("stopped") else "sending"
    alarms = [alarm_line(alarm) for alarm in document.get("alarms") or ()]
    alerts = _columns([_alert_row(alert) for alert in document.get("alerts") or ()])
    channels = _columns([_channel_row(channel) for channel in document.get("channels") or ()])
    return [
        f"{clean(document.get('time')) or '?'}  {url}  {sending}",
        *_some(alarms or ["no alarms"], most),
        waiting_line(document.get("classes") or {}),
        *_some(alerts or ["no alerts"], most),
        *_some(channels or ["no channels"], most),
        f"held {len(document.get('held') or ())}   refused in the last hour {len(document.get('refused') or ())}",
        house_line(document),
    ]


def alarm_line(alarm: Row) -> str:
    """Return one alarm, and where to look."""
    alert = clean(alarm.get("alert"))
    return f"! {clean(alarm.get('message'))}" + (f"  (relay alerts show {alert})" if alert else "")


def waiting_line(classes: Mapping[str, Row]) -> str:
    """Return what waits in each class, and since when."""
    shown = []
    for name, waits in classes.items():
        queued = int(waits.get("queued") or 0)
        oldest = f" ({ago(float(waits.get('oldest_s') or 0))})" if queued else ""
        shown.append(f"{clean(name)} {queued:,}{oldest}")
    return "waiting  " + "  ".join(shown or ["nothing"])


def house_line(document: Row) -> str:
    """Return how Redis, the journal and the workers are."""
    redis, journal = document.get("redis") or {}, document.get("journal") or {}
    workers = document.get("workers") or ()
    pending = int(redis.get("pending") or 0)
    said = [
        f"redis {'ok' if redis.get('available') else 'AWAY'}" + (f", {pending:,} to be told" if pending else ""),
        f"journal {'FAILING: ' + clean(journal['error']) if journal.get('error') else 'ok'}{_fsync(journal)}",
        _workers(workers),
    ]
    return "   ".join(said)


def ago(seconds: float) -> str:
    """Return an age in the unit that people would use."""
    for unit, size, until in (("s", 1, 120), ("min", 60, 120 * 60), ("h", 3600, 48 * 3600)):
        if seconds < until:
            return f"{int(seconds / size)} {unit}"
    return f"{int(seconds / 86_400)} d"


def _workers(workers: Sequence[Row]) -> str:
    alive = sum(bool(worker.get("alive")) for worker in workers)
    silent = len(workers) - alive
    return f"workers {alive}" + (f" ({silent} silent)" if silent else "")


def _alert_row(alert: Row) -> tuple[str, ...]:
    counts = alert.get("words") or {}
    words = " · ".join(f"{word} {counts[word]:,}" for word in WORDS if counts.get(word))
    return (
        clean(alert.get("priority")),
        clean(alert.get("state")),
        ago(float(alert.get("age_s") or 0)),
        headline(alert),
        words or "nobody",
    )


def _channel_row(channel: Row) -> tuple[str, ...]:
    error = clean(channel.get("error"))
    age = f" ({ago(float(channel.get('error_age_s') or 0))} ago)" if error else ""
    return (
        clean(channel.get("name")),
        clean(channel.get("kind")),
        clean(channel.get("state")),
        f"{float(channel.get('per_second') or 0):g}/s",
        error + age,
    )


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    return plain(Sheet(columns=rows[0], rows=rows[1:]))


def _some(lines: list[str], most: int) -> list[str]:
    return lines if len(lines) <= most else [*lines[:most], f"… and {len(lines) - most} more"]


def _fsync(journal: Row) -> str:
    fsync = journal.get("fsync_ms")
    if not isinstance(fsync, Mapping) or not fsync.get("p99"):
        return ""
    return f", fsync {fsync.get('p50')} ms (p99 {fsync.get('p99')})"
