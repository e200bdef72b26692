"""Why an alert was treated as it was: every decision as a sentence (design §2.8, §7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relay.cap import identity
from relay.cap.model import Alert, Info
from relay.cap.priority import classify
from relay.store.alerts import StoredAlert
from relay.tracking.instants import utc

_STATES = {
    "accepted": "It is accepted and waits to be planned.",
    "held": "It waits for a person's decision; nobody has been told.",
    "active": "It is being sent.",
    "completed": "Every delivery has come to its end.",
    "cancelled": "It was cancelled; what had not been sent is not sent.",
    "superseded": "An Update replaced it; what had not been sent is not sent.",
    "expired": "It expired; nothing more is sent.",
    "rejected": "A person rejected it; nobody was told.",
}
_REASONS = {
    "no_usable_area": "No area has a polygon, circle or geocode, and a missing area never means everybody.",
    "outside_jurisdiction": "Its area reaches beyond the territory of the key that posted it.",
    "jurisdiction_unknown": "Its geocodes cannot be compared with the territory of the key that posted it.",
    "outside_hazards": "The key that posted it is not for this category of hazard.",
    "clock_doubt": "By its times it had ended, but its sent looks like a wrong clock or time zone.",
    "own_clock_doubt": "By our clock it had ended, but our clock could not be trusted.",
    "ambiguous_reference": "Its reference fits more than one alert.",
    "foreign_reference": "It refers to an alert of another agency.",
    "drill_and_real": "It is a drill and refers to a real alert, or the reverse.",
    "private_without_addresses": "Its scope is not Public and it does not say whom to tell.",
    "restricted_without_addresses": "Its scope is Restricted and it does not say whom to tell.",
    "not_disseminated": "Messages of this type are kept and told to nobody.",
    "expired": "Its time was over before it came.",
    "expired_before_recovery": "Its time was over when it was applied again after a loss of Redis.",
    "no_recipients": "Nobody in the directory matches its area, severity and kind of hazard.",
}
_KEYS = {
    "K0": "the same bytes",
    "K1": "the same sender, identifier and sent",
    "K2": "the same content, written in any way",
}


def why(
    stored: StoredAlert,
    alert: Alert,
    *,
    namesakes: Sequence[str],
    flash_events: Sequence[str],
) -> dict[str, Any]:
    """Return ``{"id", "decision", "sentences", "keys"}``.

    ``namesakes`` are the ids of all alerts with the same triple, this one among them.
    """
    sentences = [
        _STATES.get(stored["state"], f"Its state is {stored['state']}."),
        *_held(stored),
        *_duplicates(stored, namesakes),
        *_class(stored, alert, flash_events),
        *_chain(stored),
        *_end(stored, alert),
    ]
    if stored["mode"] == "test":
        sentences.append("It was posted with a test key: everything was done but the sending.")
    if stored["again"]:
        sentences.append("It was applied again after a loss of Redis; what was sent then may have come twice.")
    return {
        "id": stored["id"],
        "decision": stored["state"],
        "reason": stored["reason"] or None,
        "sentences": sentences,
        "keys": _keys(stored, alert),
    }


def _keys(stored: StoredAlert, alert: Alert) -> dict[str, str]:
    keys = {name: stored[name.lower()] for name in _KEYS if stored[name.lower()]}
    whole = identity.k2(alert)
    # Redis keeps the end of it.
    return keys | ({"K2": f"t.{whole}" if stored["mode"] == "test" else whole} if whole.endswith(stored["k2"]) else {})


def _held(stored: StoredAlert) -> list[str]:
    sentences = []
    reason = stored["reason"]
    if reason:
        sentences.append(_REASONS.get(reason, f"The reason is {reason}."))
    if stored["decided_by"]:
        said = "approved" if stored["state"] != "rejected" else "rejected"
        why_so = f": “{stored['decision_reason']}”" if stored["decision_reason"] else ""
        at = utc(stored.number("decided"))
        sentences.append(f"It was held and {said} by key {stored['decided_by']} at {at}{why_so}.")
    return sentences


def _duplicates(stored: StoredAlert, namesakes: Sequence[str]) -> list[str]:
    others = [other for other in namesakes if other != stored["id"]]
    sentences = [
        f"A later post with {words} ({name}) is answered with this alert and told to nobody again."
        for name, words in _KEYS.items()
        if name != "K1" and stored[name.lower()]
    ]
    if others:
        sentences.append(
            "The same sender, identifier and sent (K1) belong to another alert too, which speaks of something else:"
            f" {', '.join(others)}. Both are kept; a reference to them means both."
        )
    return sentences


def _class(stored: StoredAlert, alert: Alert, flash_events: Sequence[str]) -> list[str]:
    given = stored["class"]
    rows = [(classify(alert, info, flash_events=flash_events), info) for info in alert.info or (None,)]
    klass, info = min(rows, key=lambda row: row[0])
    if alert.status != "Actual":
        return [f"Its class is {given}, because its status is {alert.status}: it is not real."]
    if given != klass:
        return [f"Its class is {given}, because it corrects an urgent alert that was already sent; by itself {klass}."]
    return [f"Its class is {given}: {_said(info)}."]


def _said(info: Info | None) -> str:
    if info is None:
        return "it has no info, so it is read as Expected, Moderate and Likely"
    return f"urgency {info.urgency}, severity {info.severity}, certainty {info.certainty}, event “{info.event[:64]}”"


def _chain(stored: StoredAlert) -> list[str]:
    sentences = []
    if stored["cancelled_by"]:
        sentences.append(f"The Cancel {stored['cancelled_by']} refers to it; those who were told are told of the end.")
    if stored["superseded_by"]:
        sentences.append(f"The Update {stored['superseded_by']} refers to it.")
    return sentences


def _end(stored: StoredAlert, alert: Alert) -> list[str]:
    expires = stored.number("expires")
    if not expires:
        return []
    stated = [info.expires for info in alert.info if info.expires is not None]
    if stated:
        return [f"Nothing is sent after {utc(expires)}."]
    return [f"It states no expires; the relay assumes {utc(expires)}, and sends nothing after that."]


def explained_reasons() -> Mapping[str, str]:
    """Return the sentence for every reason that is known here."""
    return _REASONS
