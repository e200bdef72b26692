"""A small history in which all is well, written by hand; each test spoils one thing of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.chaos.alerts import SENDER, marker, reference
from tests.chaos.history import Attempt, Deed, Fault, History, Look, Send
from tests.chaos.mix import Role

#: When everything happens, in seconds since the epoch.
NOW = 1_700_000_000.0

PLACE = "43.0,76.6 43.0,77.3 43.5,77.3 43.5,76.6 43.0,76.6"


def when(seconds: float) -> str:
    """Return a time of this history as the API writes it."""
    return datetime.fromtimestamp(NOW + seconds, UTC).isoformat()


def person(number: int, *, lat: float = 43.2, **more: Any) -> dict[str, Any]:
    """Return a recipient with an SMS address and a webhook."""
    addresses = [
        {"kind": "sms", "value": f"+7701000{number:04}"},
        {"kind": "webhook", "value": f"http://127.0.0.1:1/hook/p{number}"},
    ]
    return {
        "id": f"p{number}",
        "languages": ["en"],
        "addresses": addresses,
        "location": {"lat": lat, "lon": 76.9},
        "geocodes": [{"scheme": "ISO3166-2", "value": "KZ-75"}],
        "drills": False,
        **more,
    }


def alert(number: int, *, severity: str = "Severe", urgency: str = "Expected", lives: float = 600.0) -> dict[str, Any]:
    """Return a document as the client posts it; P1 unless changed."""
    return {
        "identifier": f"chaos-{number:05}",
        "sender": SENDER,
        "sent": when(0),
        "status": "Actual",
        "msgType": "Alert",
        "info": [
            {
                "language": "en",
                "category": ["Met"],
                "event": f"Flood {marker(number)}",
                "urgency": urgency,
                "severity": severity,
                "certainty": "Observed" if severity == "Extreme" else "Likely" if severity == "Severe" else "Possible",
                "expires": when(lives),
                "area": [{"areaDesc": "Valley", "polygon": [PLACE]}],
            }
        ],
    }


class Story:
    """A history in the making: two people in the valley, one far away; no fault."""

    def __init__(self) -> None:
        self.people = [person(1), person(2), person(3, lat=44.9)]
        self.deeds: dict[int, Deed] = {}
        self.sends: list[Send] = []
        self.faults: list[Fault] = []
        self.alerts: list[dict[str, Any]] = []
        self.looks: list[Look] = []
        self.status: dict[str, Any] = {"stale": False, "redis": {"pending": 0}, "classes": {"P1": {"queued": 0}}}
        self._requests = 0

    def posts(self, document: dict[str, Any], *, at: float = 0.0, role: Role = Role.NEW, of: int = -1) -> Deed:
        """The client posts it and is answered 202 at once; the relay shows it as completed, without deliveries."""
        number = int(document["identifier"].rpartition("-")[2])
        deed = Deed(number=number, role=role, of=of, document=document)
        self.deeds[number] = deed
        self.answers(deed, at=at, role=role)
        references = [f"id-{of}"] if of >= 0 else []
        self.alerts.append(
            {
                "id": f"id-{number}",
                "identifier": document["identifier"],
                "state": "completed",
                "reason": None,
                "counts": {},
                "deliveries": 0,
                "recipients": 0,
                "chain": {"references": references},
                "rows": [],
            }
        )
        return deed

    def answers(
        self, deed: Deed, *, at: float, role: Role, status: int = 202, end: str = "ok", took: float = 0.01, **said: Any
    ) -> None:
        """One request about a deed, and its answer."""
        self._requests += 1
        known = {
            "id": f"id-{deed.number}",
            "state": "accepted",
            **({"duplicate": {"of": "x"}} if status == 200 else {}),
        }
        deed.attempts.append(
            Attempt(
                n=self._requests,
                role=role,
                asked=NOW + at,
                answered=NOW + at + took,
                end=end,
                status=status,
                said={**known, **said},
            )
        )

    def delivers(
        self, number: int, who: int, kind: str, *, at: float = 0.1, state: str = "delivered", **row: Any
    ) -> None:
        """One delivery: the relay's row, and, unless its state says otherwise, the provider's line."""
        shown = self.shown(number)
        times = {"queued": when(at - 0.05), state: when(at)}
        shown["rows"].append(
            {
                "id": f"leg-{number}-{kind}-{who}",
                "recipient": f"p{who}",
                "kind": kind,
                "state": state,
                "reason": None,
                "possible_duplicate": False,
                "times": times,
                **row,
            }
        )
        self.count(number)
        if state in ("delivered", "delivered_unconfirmed"):
            self.sends_one(number, who, kind, at=at)

    def sends_one(self, number: int, who: int, kind: str, *, at: float = 0.1, **more: Any) -> None:
        """One line of a provider."""
        to = f"p{who}" if kind == "webhook" else f"+7701000{who:04}"
        known = {
            "took": True,
            "mood": "calm",
            "number": number,
            "info": 0,
            "cancelled": False,
            "text": f"Flood {marker(number)}",
            "line": {"recipient": to},
        }
        self.sends.append(Send(t=NOW + at, kind=kind, to=to, **{**known, **more}))

    def shown(self, number: int) -> dict[str, Any]:
        """Return what the relay shows of a deed."""
        return next(alert for alert in self.alerts if alert["id"] == f"id-{number}")

    def count(self, number: int) -> None:
        """Let the relay's counts be what its rows are."""
        shown = self.shown(number)
        states = [row["state"] for row in shown["rows"]]
        shown["counts"] = {state: states.count(state) for state in states}
        shown["deliveries"] = len(states)
        shown["recipients"] = len({row["recipient"] for row in shown["rows"]})

    def looks_at(self, number: int, who: int, kind: str, state: str, *, at: float) -> None:
        """The client saw a state in passing."""
        self.looks.append(Look(t=NOW + at, alert=f"id-{number}", pair=(f"p{who}", kind), state=state))

    def fault(self, name: str, target: str, *, begin: float, end: float, acted: float = 0.0) -> None:
        """Something was done to the system."""
        self.faults.append(Fault(name=name, target=target, begin=NOW + begin, end=NOW + end, acted=acted))

    @property
    def history(self) -> History:
        """Everything so far; the account was taken 60 seconds after the beginning."""
        return History(
            deeds=self.deeds,
            sends=self.sends,
            faults=self.faults,
            alerts=self.alerts,
            people=self.people,
            status=self.status,
            looks=self.looks,
            ended=NOW + 60,
        )


def well() -> Story:
    """Return a story in which one alert reached the two people in the valley by both kinds."""
    story = Story()
    story.posts(alert(1))
    for who in (1, 2):
        for kind in ("sms", "webhook"):
            story.delivers(1, who, kind)
    return story


def cancelled() -> Story:
    """Return a story in which that alert was cancelled after 10 s, and everybody was told of it."""
    story = well()
    document = {**alert(2), "msgType": "Cancel", "references": reference(alert(1))}
    story.posts(document, at=10, role=Role.CANCEL, of=1)
    for who in (1, 2):
        for kind in ("sms", "webhook"):
            story.delivers(2, who, kind, at=10.2)
    return story
