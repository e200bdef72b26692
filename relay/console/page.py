"""The operators' first page: the /status JSON as HTML that works without JavaScript.

Its first screen answers four questions at 320 px: is anything waiting for me, who has not been told, which path is
broken, is this page alive?
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import quote, urlencode

from relay.console.alarm_words import ALARMS
from relay.console.alarms import FOR_PEOPLE, Alarm, alarms_of, broken_parts, name_of
from relay.console.figures import FRESH, Wall, units
from relay.console.reading import text
from relay.console.situation import WORDS, AlertRow, Situation, read
from relay.console.templating import render, static
from relay.console.words import Say

#: Bytes of the first load: the page, its style and its script (design §17, E13).
LIMIT = 30_000

#: Seconds between two looks, and after which figures are called old.
REFRESH = 5
OLD = 10.0

#: How many rows a list shows at most; when the page is too long all the same, the next.
_ROWS = (25, 12, 6, 3, 2)

#: What changes although nothing happens: the text of ages, and the clock.
_TICKING = re.compile(r"""(<(?:time|output)\b[^>]*>|\bdata-now=")[^<"]*""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks: the name of the key, and what its holder may be asked (``approve``, ``stop``, ``pause`` …)."""

    name: str = ""
    may: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of this page, with what was chosen by hand: ``lang``, ``refresh``; empty when it was not."""

    lang: str = ""
    refresh: str = ""

    def to(self, path: str = "/status", **query: str) -> str:
        """Return a path with a query and what was chosen."""
        pairs = {name: value for name, value in {"lang": self.lang, "refresh": self.refresh, **query}.items() if value}
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def other(self, language: str) -> str:
        """Return this page in the language that it is not in."""
        return self.to(lang="en" if language == "ru" else "ru")

    def alert(self, alert_id: str) -> str:
        """Return the address of all that is known of one alert."""
        return f"/v1/alerts/{quote(alert_id, safe='')}"


@dataclass(frozen=True, slots=True)
class Tile:
    """The answer to one of the four questions; ``mood`` is ``calm``, ``note`` or ``red``; ``since`` shows as an age."""

    name: str
    value: str
    more: str
    mood: str
    target: str
    since: datetime | None = None


def status_page(
    status: Mapping[str, Any],
    *,
    language: str,
    now: datetime,
    refresh: int | None,
    zone: tzinfo = UTC,
    viewer: Viewer | None = None,
    links: Links | None = None,
) -> str:
    """Return the page.

    ``status`` is the /status JSON; ``now`` our clock, ``zone`` what times are shown in.  ``refresh`` seconds make a
    page without a script that the browser loads again by itself; None: the script does, or every
    :data:`REFRESH` seconds where scripts do not run.
    """
    situation, say = read(status), Say(language, ALARMS)
    wall = Wall(now, zone, say.language)
    alarms = alarms_of(situation, say, wall)
    values = {
        "say": say,
        "wall": wall,
        "units": ",".join(units(say.language)),
        "now": situation,
        "alarms": alarms,
        "system": system_rows(situation, say, wall),
        "tiles": _tiles(situation, alarms, say, wall),
        "viewer": viewer or Viewer(),
        "links": links or Links(),
        "refresh": refresh,
        "every": REFRESH,
        "old": situation.time is None or wall.since(situation.time) > OLD,
        "bar": bar,
        "words": WORDS,
        "name_of": name_of,
        "fresh": FRESH,
    }
    html = ""
    for rows in _ROWS:
        html = render("status.html", rows=rows, **values)
        if len(html.encode()) <= LIMIT - len(static("status.css")) - len(static("status.js")):
            break
    return html


def tag_of(html: str) -> str:
    """Return what two pages share that differ in nothing but passing time."""
    return _TICKING.sub(r"\1", html)


def bar(alert: AlertRow) -> list[tuple[str, float, float]]:
    """Return (word, from, width) of each part of an alert's deliveries, in percent; no part is too small to see."""
    shown = [(word, alert.words[word]) for word in WORDS if alert.words[word]]
    total = sum(count for _, count in shown)
    widths = [(word, max(1.5, 100 * count / total)) for word, count in shown]
    scale = 100 / sum(width for _, width in widths) if widths else 0.0
    parts, at = [], 0.0
    for word, width in widths:
        parts.append((word.replace(" ", "-"), round(at, 1), round(width * scale, 1)))
        at += width * scale
    return parts


def _tiles(now: Situation, alarms: Sequence[Alarm], say: Say, wall: Wall) -> list[Tile]:
    return [_waiting(now, alarms, say, wall), _not_told(now, say, wall), _broken(now, say, wall)]


def _waiting(now: Situation, alarms: Sequence[Alarm], say: Say, wall: Wall) -> Tile:
    """Count what needs a person's word or call; what is broken has a tile of its own."""
    mine = [alarm for alarm in alarms if alarm.code in FOR_PEOPLE]
    count = sum(alarm.count for alarm in mine)
    since = min((alarm.since for alarm in mine if alarm.since), default=None)
    if not count:
        value, more, mood = ("0", say("waiting_none"), "calm") if now.redis_up else ("?", say("nobody_knows"), "note")
        return Tile(say("waiting"), value, more, mood, "alarms")
    if not now.redis_up:
        return Tile(say("waiting"), wall.count(count), say("maybe_more"), "red", "alarms")
    return Tile(say("waiting"), wall.count(count), say("waiting_oldest") if since else "", "red", "alarms", since)


def _not_told(now: Situation, say: Say, wall: Wall) -> Tile:
    """Count whom alerts that go on have not reached for certain; of those that are over, whom they did not reach."""
    if not now.redis_up:
        return Tile(say("not_told"), "?", say("nobody_knows"), "note", "alerts")
    real = [alert for alert in now.alerts if alert.real]
    counts = {
        word: sum(alert.words[word] for alert in real if word != "on the way" or not alert.over)
        for word in ("on the way", "not reached", "unknown")
    }
    total = sum(counts.values())
    if not total:
        return Tile(say("not_told"), "0", say("not_told_none"), "calm", "alerts")
    more = " · ".join(f"{say(word)} {wall.count(count)}" for word, count in counts.items() if count)
    return Tile(say("not_told"), wall.count(total), more, "note", "alerts")


def _broken(now: Situation, say: Say, wall: Wall) -> Tile:
    broken = broken_parts(now, wall)
    if broken:
        return Tile(say("broken"), wall.count(len(broken)), ", ".join(map(say, broken)), "red", "alarms")
    if not now.channels or any(channel.state == "unknown" for channel in now.channels):
        return Tile(say("broken"), "?", say("nobody_knows"), "note", "channels")
    return Tile(say("broken"), "0", say("broken_of", n=len(now.channels)), "calm", "channels")


def system_rows(now: Situation, say: Say, wall: Wall) -> Sequence[tuple[str, str, str]]:
    """Return (name, what is said, mood) of each part of the relay itself."""
    fsync = now.journal.get("fsync_ms")
    times = fsync if isinstance(fsync, Mapping) else {}
    journal = [
        say("fsync", ms=wall.count(times.get("p50") or 0)),
        say("fsync_p99", ms=wall.count(times.get("p99") or 0)),
    ]
    error = now.journal.get("error")
    journal.append(text(error) if error else say("no_error"))
    redis = [say("answers") if now.redis_up else say("no_answer"), say("pending", n=wall.count(now.pending))]
    held = wall.count(now.held_count) if now.redis_up or now.held_count else say("nobody_knows")
    return [
        (say("sending"), say("is_stopped" if now.stopped is not None else "goes_on"), _mood(now.stopped is None)),
        (say("held"), held, "" if not now.held_count else "red"),
        (say("redis"), " · ".join(redis), _mood(now.redis_up)),
        (say("journal"), " · ".join(journal), _mood(not error and not now.journal.get("damaged"))),
        (say("clock_word"), say("trusted" if now.clock_trusted else "not_trusted"), _mood(now.clock_trusted)),
    ]


def _mood(well: bool) -> str:  # noqa: FBT001 -- one word for two
    return "" if well else "red"
