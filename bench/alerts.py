"""CAP alerts of a fictional agency, one of each class that the bench needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True)
class Grade:
    """What makes an alert's class (design §8)."""

    urgency: str
    severity: str
    certainty: str
    status: str = "Actual"


P0 = Grade("Immediate", "Extreme", "Observed")
P1 = Grade("Expected", "Severe", "Likely")
P2 = Grade("Immediate", "Moderate", "Observed")
P3 = Grade("Expected", "Moderate", "Likely")
P4 = Grade("Expected", "Minor", "Likely")
PX = Grade("Immediate", "Extreme", "Observed", "Exercise")


_DO = "Stay indoors, keep away from trees and power lines."
_DO_BRIEFLY = "Stay indoors."
_MORE = " Keep to the higher ground and follow what the rescue service says."


def cap(identifier: str, grade: Grade, polygon: str, *, now: datetime, size: int = 0, brief: bool = False) -> bytes:
    """Return a CAP 1.2 alert for everybody in ``polygon``, sent ``now`` and good for six hours.

    It says more until it has ``size`` bytes; ``brief`` makes its text message fit into one part.
    """
    do = _DO_BRIEFLY if brief else _DO
    raw = _cap(identifier, grade, polygon, now, do)
    missing = max(0, size - len(raw))
    more = (_MORE * (missing // len(_MORE) + 1))[:missing]
    return _cap(identifier, grade, polygon, now, do + more) if missing else raw


def _cap(identifier: str, grade: Grade, polygon: str, now: datetime, do: str) -> bytes:
    ends = now + timedelta(hours=6)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>{escape(identifier)}</identifier>
  <sender>duty@meteo.example</sender>
  <sent>{now.isoformat(timespec="seconds")}</sent>
  <status>{grade.status}</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>en</language>
    <category>Met</category>
    <event>Strong wind</event>
    <responseType>Prepare</responseType>
    <urgency>{grade.urgency}</urgency>
    <severity>{grade.severity}</severity>
    <certainty>{grade.certainty}</certainty>
    <expires>{ends.isoformat(timespec="seconds")}</expires>
    <senderName>Hydromet bench</senderName>
    <headline>Strong wind, {escape(identifier)}</headline>
    <description>Gusts of up to 25 metres a second are expected in the whole district until the evening.</description>
    <instruction>{do}</instruction>
    <area>
      <areaDesc>Bench district</areaDesc>
      <polygon>{polygon}</polygon>
    </area>
  </info>
</alert>
""".encode()
