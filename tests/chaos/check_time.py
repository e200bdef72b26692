"""C7, C8, C12: nothing leaves too late, the worst news goes first, and how long everything took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.alerts import CLASSES
from tests.chaos.history import Deed, History, Send
from tests.chaos.mix import Role
from tests.chaos.verdict import Finding

#: What a send needs from the relay's last look at the clock to the provider's first.
TRAVEL = 0.75
#: A cancel stops everything within this many seconds of its 202 (§3.3), and of the moment workers can hear it.
STOPS = 1.0
HEARS = 2.5
#: The worst first hand-over of each class while nothing is wrong: the targets of design §8, with room for a busy machine.
WORST = {"P0": 2.0, "P1": 4.0, "P2": 10.0}
#: Of what one channel begins while something worse has waited for a second, so much may be less urgent.
FLOOR = 0.25
FEW = 10
#: Where the machine was busy elsewhere for longer, the order of single sends says nothing.
BUSY = 0.5


def late(h: History) -> Iterator[Finding]:
    """C7: no send begins after the alert expired, or long after it was cancelled or replaced."""
    limits: dict[int, tuple[float, str]] = {}
    for send in h.sends:
        number = h.deed_of(send)
        deed = h.deeds.get(number)
        if deed is None or deed.role is Role.REVOKE or not deed.document:
            continue
        if number not in limits:
            limits[number] = limit(h, deed)
        end, why = limits[number]
        if send.t > end + h.lag(end - TRAVEL - STOPS, send.t) and not _slept(h, send, end):
            yield Finding("C7", f"{send.t - end:.2f} s after {why}: {number} {send.kind} to {send.to} ({send.mood})")


def limit(h: History, deed: Deed) -> tuple[float, str]:
    """Return until when a deed may be sent, and why."""
    ends = [(deed.expires + TRAVEL, "it expired")]
    for stop in h.stops(deed.number):
        taken = stop.accepted
        if taken is None:
            continue
        heard = taken.answered
        # While Redis is away, or workers stand still, nobody can tell them.
        for fault in sorted(h.faults_in(heard - 1.0, heard + STOPS), key=lambda f: f.begin):
            if fault.target in ("redis", "redis-link", "worker", "api", "node") and fault.begin <= heard + STOPS:
                heard = max(heard, fault.end + HEARS)
        ends.append((heard + STOPS, f"its {stop.role} was accepted"))
    return min(ends)


def _slept(h: History, send: Send, end: float) -> bool:
    """A process that stood still between its look and its send could not know; it is counted apart."""
    return any(
        fault.name in ("pause", "oversleep")
        and fault.target == "worker"
        and fault.begin <= end + TRAVEL
        and end <= fault.begin + fault.acted + TRAVEL
        and send.t <= fault.begin + fault.acted + STOPS
        for fault in h.faults
    )


def priority(h: History) -> Iterator[Finding]:
    """C8: a class is handed over in its time, and a channel works on the worst that waits."""
    firsts = first_sends(h)
    for (number, kind), first in firsts.items():
        deed = h.deeds[number]
        klass, taken = klass_of(deed), deed.accepted
        if taken is None or klass not in WORST or deed.document["status"] != "Actual":
            continue
        waited = first - taken.answered
        if waited > WORST[klass] + 3 * h.lag(taken.asked, first) and not h.faults_in(taken.asked - 5.0, first):
            yield Finding("C8", f"{number} ({klass}) waited {waited:.2f} s for {kind}")
    for deed in h.deeds.values():
        yield from _overtaken(h, deed)


def _overtaken(h: History, deed: Deed) -> Iterator[Finding]:
    """While the sends of one deed go through a channel, hardly anything less urgent does."""
    taken, klass = deed.accepted, klass_of(deed)
    if taken is None or klass not in ("P0", "P1", "P2", "P3"):
        return
    for kind in ("sms", "email", "webhook"):
        own = [s.t for (n, pair), sends in h.of_sends.items() if n == deed.number and pair[1] == kind for s in sends]
        begin = taken.answered + 1.0
        if not own or max(own) <= begin or h.faults_in(taken.asked - 5.0, max(own)) or h.lag(begin, max(own)) > BUSY:
            continue
        during = [s for s in h.sends if s.kind == kind and begin < s.t < max(own)]
        lower = [s for s in during if _class_of_send(h, s) > klass]
        if len(lower) > FEW + FLOOR * len(during):
            yield Finding("C8", f"{len(lower)} of {len(during)} {kind} before the last of {deed.number} ({klass})")


def _class_of_send(h: History, send: Send) -> str:
    deed = h.deeds.get(h.deed_of(send))
    # Corrections of urgent alerts are urgent themselves; they never count as lower.
    return klass_of(deed) if deed is not None and deed.role is Role.NEW else ""


def klass_of(deed: Deed) -> str:
    """Return the class that the deed's first info has by the table of design §8; all its infos have the same."""
    if not deed.document or deed.role not in (Role.NEW, Role.PLACELESS):
        return ""
    info = deed.document["info"][0]
    said = (info["urgency"], info["severity"], info["certainty"])
    drill = deed.document["status"] != "Actual"
    return "PX" if drill else next(name for name, words in CLASSES.items() if words == said)


def first_sends(h: History) -> dict[tuple[int, str], float]:
    """Return, for each deed and kind, when its first message came to the provider."""
    found: dict[tuple[int, str], float] = {}
    for send in h.sends:
        key = (h.deed_of(send), send.kind)
        if key[0] in h.deeds:
            found[key] = min(found.get(key, send.t), send.t)
    return found


def figures(h: History) -> dict[str, dict[str, float]]:
    """C12: seconds from the 202 to the first hand-over, by class: calm, and while something was wrong."""
    waits: dict[str, list[float]] = defaultdict(list)
    firsts = first_sends(h)
    for number, deed in h.deeds.items():
        taken, klass = deed.accepted, klass_of(deed)
        sent = [at for (n, _), at in firsts.items() if n == number]
        if taken is None or not klass or not sent:
            continue
        calm = not h.faults_in(taken.asked - 5.0, min(sent))
        waits[f"{klass} {'calm' if calm else 'faulty'}"].append(max(0.0, min(sent) - taken.answered))
    return {name: percentiles(values) for name, values in sorted(waits.items())}


def percentiles(values: list[float]) -> dict[str, float]:
    """Return count, median, 99th percentile and maximum."""
    ordered = sorted(values)
    at = {"p50": 0.5, "p99": 0.99}
    found = {name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) for name, share in at.items()}
    return {"n": float(len(ordered)), **found, "max": round(ordered[-1], 3)}
