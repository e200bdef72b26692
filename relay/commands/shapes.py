"""Alerts and deliveries as people read them: answers of the API in, lines and tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relay.commands.problem import finding_lines
from relay.commands.terminal import Sheet, clean
from relay.tracking.states import FIVE_WORDS

WORDS = ("acknowledged", "received", "on the way", "not reached", "unknown", "not sent")
"""The five words, and the one for those who were not meant to be told (design §18)."""

_WORD_OF = {state.word: word for state, word in FIVE_WORDS.items()}
HEADLINE = 48
"""Characters of a headline in a row."""

_WIDTH = 14

Row = Mapping[str, Any]


def word_of(state: object) -> str:
    """Return the word for people of a delivery state."""
    return _WORD_OF.get(str(state), "unknown")


def in_words(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts of delivery states as counts of words, in the order of :data:`WORDS`, without zeros."""
    sums = dict.fromkeys(WORDS, 0)
    for state, count in counts.items():
        sums[word_of(state)] += count
    return {word: count for word, count in sums.items() if count}


def reach(counts: Mapping[str, int]) -> str:
    """Return who was reached, in one line: ``received 212 · on the way 9``."""
    return " · ".join(f"{word} {count:,}" for word, count in in_words(counts).items())


def short_time(text: object) -> str:
    """Return a time of RFC 3339 to the second, with its offset as written."""
    words = clean(text)
    head, dot, rest = words.partition(".")
    if not dot:
        return words.replace("+00:00", "Z")
    return head + rest.lstrip("0123456789").replace("+00:00", "Z")


def headline(alert: Row) -> str:
    """Return what an alert says, short enough for a row, with its status when it is not real."""
    said = clean(alert.get("headline")) or clean(alert.get("event")) or clean(alert.get("identifier"))
    status = clean(alert.get("status"))
    shown = said if len(said) <= HEADLINE else said[: HEADLINE - 1] + "…"
    return shown if status in ("", "Actual") else f"{status.upper()} {shown}"


def alerts_sheet(rows: Sequence[Row]) -> Sheet:
    """Return the table of alerts."""
    return Sheet(
        columns=("id", "class", "state", "sent", "sender", "what", "reach"),
        rows=[
            (
                clean(row.get("id")),
                clean(row.get("priority")),
                _state(row),
                short_time(row.get("sent")),
                clean(row.get("sender")),
                headline(row),
                reach(row.get("counts") or {}) or "-",
            )
            for row in rows
        ],
        empty="no alerts",
    )


def deliveries_sheet(rows: Sequence[Row]) -> Sheet:
    """Return the table of deliveries: a word for people first, the exact state after it."""
    return Sheet(
        columns=("recipient", "by", "channel", "word", "state", "tries", "since", "why"),
        rows=[
            (
                clean(row.get("recipient")),
                clean(row.get("kind")),
                clean(row.get("channel")) or "-",
                word_of(row.get("state")),
                clean(row.get("state")),
                clean(row.get("attempts")),
                _last_time(row.get("times") or {}),
                _why(row),
            )
            for row in rows
        ],
        empty="no deliveries",
    )


def alert_lines(alert: Row) -> list[str]:
    """Return one alert as lines: a name and its value each."""
    counts = alert.get("counts") or {}
    fields = {
        "alert": alert.get("id"),
        "what": headline(alert),
        "class": alert.get("priority"),
        "state": _state(alert),
        "sender": alert.get("sender"),
        "identifier": alert.get("identifier"),
        "sent": short_time(alert.get("sent")),
        "kept": durability(alert.get("durability")),
        "recipients": alert.get("recipients"),
        "deliveries": alert.get("deliveries"),
        "reach": reach(counts),
        "exactly": " · ".join(f"{clean(state)} {count:,}" for state, count in counts.items()),
        **_chain(alert.get("chain") or {}),
    }
    lines = [_field(name, value) for name, value in fields.items() if clean(value)]
    lines += [_field(name, short_time(time)) for name, time in (alert.get("times") or {}).items() if time]
    if alert.get("stale"):
        lines.append("this is what the node remembers: the database cannot be reached now")
    return lines + finding_lines(alert.get("findings") or ())


def accepted_lines(answer: Row, *, status: int) -> list[str]:
    """Return what a person reads after posting an alert: the state, what it means, and what was found."""
    duplicate = answer.get("duplicate")
    name = clean(answer.get("id"))
    if isinstance(duplicate, Mapping) or status == 200:
        why = clean((duplicate or {}).get("why"))
        lines = [f"already accepted: {name}" + (f" ({why})" if why else ""), "nothing is sent a second time"]
    else:
        lines = [f"{_state(answer)}: {name}  {clean(answer.get('priority'))}".rstrip()]
        lines += filter(None, [durability(answer.get("durability")), _meaning(answer)])
    return lines + finding_lines(answer.get("findings") or ())


def preview_lines(preview: Row) -> list[str]:
    """Return what a dry run would do."""
    fields = {
        "state": _state(preview),
        "class": preview.get("priority"),
        "recipients": preview.get("recipients"),
        "messages": _pairs(preview.get("messages")),
        "sms parts": _pairs(preview.get("segments")),
    }
    lines = [_field(name, value) for name, value in fields.items() if clean(value)]
    lines += filter(None, [_meaning(preview)])
    return [*lines, *finding_lines(preview.get("findings") or ()), "nothing was sent: this is what would be"]


def why_lines(why: Row) -> list[str]:
    """Return the explanation of a decision, and the keys it rests on."""
    lines = [f"{clean(why.get('id'))}: {clean(why.get('decision'))}"]
    lines += [f"  {clean(sentence)}" for sentence in why.get("sentences") or ()]
    return lines + [f"  {name}  {clean(key)}" for name, key in (why.get("keys") or {}).items()]


def durability(kept: object) -> str:
    """Return where an alert is safe."""
    if not isinstance(kept, Mapping):
        return ""
    disk = "safe on disk" if kept.get("journal") == "fsync" else f"journal {clean(kept.get('journal'))}"
    if kept.get("redis") == "pending":
        return f"{disk}; the database cannot be reached now, sending begins when it is back"
    return disk


def _meaning(answer: Row) -> str:
    match answer.get("state"):
        case "held":
            return "nobody is told until an operator decides: `relay alerts approve` or `relay alerts reject`"
        case "expired":
            return "it had expired when it came: nobody is told"
        case _:
            return ""


def _state(alert: Row) -> str:
    state, reason = clean(alert.get("state")), clean(alert.get("reason"))
    return f"{state} ({reason})" if reason else state


def _why(row: Row) -> str:
    twice = "may have come twice" if row.get("possible_duplicate") else ""
    answer = f"answered {clean(row['answer'])}" + (", late" if row.get("late") else "") if row.get("answer") else ""
    return ", ".join(filter(None, (clean(row.get("reason")), answer, twice)))


def _last_time(times: Mapping[str, Any]) -> str:
    known = [short_time(time) for time in times.values() if time]
    return max(known, default="-")


def _chain(chain: Row) -> dict[str, str]:
    """Return what an alert refers to, and what refers to it; nothing for an alert that stands alone."""
    referrers = [_referrer(row) for row in chain.get("referred_by") or ()]
    return {
        "refers to": ", ".join(clean(name) for name in chain.get("references") or ()),
        "referred by": ", ".join(referrers),
        "cancelled by": clean(chain.get("cancelled_by")),
        "replaced by": clean(chain.get("superseded_by")),
    }


def _referrer(row: object) -> str:
    return f"{clean(row.get('msgType'))} {clean(row.get('id'))}" if isinstance(row, Mapping) else clean(row)


def _pairs(value: object) -> str:
    if not isinstance(value, Mapping):
        return clean(value)
    return ", ".join(f"{clean(name)} {clean(count)}" for name, count in value.items())


def _field(name: str, value: object) -> str:
    return f"{name:<{_WIDTH}}{clean(value)}"
