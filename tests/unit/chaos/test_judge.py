"""The judge against planted defects: each is found, by the check that is meant to find it, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.alerts import reference
from tests.chaos.judge import judge
from tests.chaos.mix import Role
from tests.unit.chaos.histories import Story, alert, cancelled, well

Plant = Callable[[], Story]


def row(story: Story, number: int, who: int, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        r for r in story.shown(number)["rows"] if (r["recipient"], r["kind"]) == (f"p{who}", kind)
    )
    return found


def test_a_history_in_which_all_is_well() -> None:
    """The judge is content with what is right: an alert, a retry of it, its cancel."""
    for story in (well(), cancelled()):
        story.answers(story.deeds[1], at=1, role=Role.RETRY, status=200)
        story.looks_at(1, 1, "sms", "delivered_unconfirmed", at=0.5)
        verdict = judge(story.history)

        assert verdict.content, verdict.findings


def forgets_an_alert() -> Story:
    """A 202, and nothing of it afterwards."""
    story = well()
    story.alerts.clear()
    story.sends.clear()
    return story


def forgets_one_person() -> Story:
    story = well()
    story.shown(1)["rows"].remove(row(story, 1, 2, "sms"))
    story.count(1)
    story.sends = [send for send in story.sends if (send.kind, send.to) != ("sms", "+77010000002")]
    return story


def says_delivered_without_a_send() -> Story:
    story = well()
    story.sends.pop()
    return story


def says_expired_after_a_send() -> Story:
    story = well()
    story.fault("kill", "worker", begin=0, end=1)
    story.deeds[1].document["info"][0]["expires"] = story.deeds[1].document["sent"].replace(":20+", ":50+")
    row(story, 1, 1, "sms")["state"] = "expired"
    story.count(1)
    return story


def gives_up_for_no_reason() -> Story:
    """A dead letter although the provider never refused anything for good."""
    story = well()
    row(story, 1, 1, "sms")["state"] = "dead_letter"
    story.count(1)
    story.sends = [send for send in story.sends if (send.kind, send.to) != ("sms", "+77010000001")]
    return story


def calls_it_possibly_sent_on_a_calm_day() -> Story:
    story = well()
    row(story, 1, 1, "sms")["state"] = "possibly_sent"
    story.count(1)
    return story


def never_ends() -> Story:
    story = well()
    row(story, 1, 1, "sms")["state"] = "retrying"
    story.count(1)
    return story


def tells_somebody_far_away() -> Story:
    story = well()
    story.delivers(1, 3, "sms")
    return story


def widens_what_has_no_place() -> Story:
    story = well()
    document = alert(2)
    document["info"][0]["area"] = [{"areaDesc": "Somewhere"}]
    deed = story.posts(document, role=Role.PLACELESS)
    deed.attempts.clear()
    story.answers(deed, at=0, role=Role.PLACELESS, state="held")
    story.delivers(2, 1, "webhook")
    return story


def sends_what_was_refused() -> Story:
    story = well()
    deed = story.posts(alert(2))
    deed.attempts.clear()
    story.alerts.pop()
    story.answers(deed, at=0, role=Role.BAD, status=422)
    deed.role = Role.BAD
    story.sends_one(2, 1, "sms")
    return story


def reads_the_wrong_words() -> Story:
    story = well()
    story.sends.pop(0)
    story.sends_one(1, 1, "sms", info=1)
    return story


def twice_without_a_label() -> Story:
    story = well()
    story.fault("kill", "worker", begin=0.2, end=1)
    story.sends_one(1, 1, "sms", at=2)
    return story


def twice_although_nothing_was_wrong() -> Story:
    story = well()
    row(story, 1, 1, "sms")["possible_duplicate"] = True
    story.sends_one(1, 1, "sms", at=2)
    return story


def twice_long_after_the_fault() -> Story:
    """The bound: a kill makes copies of what was in flight then, not of what was settled long before."""
    story = well()
    story.fault("kill", "worker", begin=30, end=31)
    row(story, 1, 1, "sms")["possible_duplicate"] = True
    story.sends_one(1, 1, "sms", at=33)
    return story


def labels_everything() -> Story:
    story = well()
    row(story, 1, 1, "sms")["possible_duplicate"] = True
    return story


def recovers_an_alert_twice() -> Story:
    story = well()
    story.alerts.append(
        {**story.shown(1), "id": "id-1-again", "rows": [], "counts": {}, "deliveries": 0, "recipients": 0}
    )
    return story


def accepts_a_retry_as_new() -> Story:
    story = well()
    story.answers(story.deeds[1], at=1, role=Role.RETRY, status=202)
    return story


def accepts_what_is_not_cap() -> Story:
    story = well()
    deed = story.posts(alert(2))
    deed.attempts.clear()
    story.alerts.pop()
    deed.role = Role.BAD
    story.answers(deed, at=0, role=Role.BAD, status=202)
    return story


def tells_the_refused_content() -> Story:
    story = well()
    story.answers(story.deeds[1], at=1, role=Role.CONFLICT, status=409)
    story.sends.pop(0)
    story.sends_one(1, 1, "sms", text="Flood Q00001A. Stay where you are.")
    return story


def sends_after_it_expired() -> Story:
    story = Story()
    story.posts(alert(1, lives=5))
    for who in (1, 2):
        for kind in ("sms", "webhook"):
            story.delivers(1, who, kind, at=0.1 if who == 1 else 6.5)
    return story


def sends_after_a_cancel() -> Story:
    story = cancelled()
    row(story, 1, 2, "sms")["times"]["delivered"] = row(story, 2, 2, "sms")["times"]["delivered"]
    story.sends = [s for s in story.sends if (s.number, s.kind, s.to) != (1, "sms", "+77010000002")]
    story.sends_one(1, 2, "sms", at=12)
    return story


def sends_the_old_one_after_an_update() -> Story:
    story = well()
    document = {**alert(2), "msgType": "Update", "references": reference(alert(1))}
    story.posts(document, at=10, role=Role.UPDATE, of=1)
    for who in (1, 2):
        for kind in ("sms", "webhook"):
            story.delivers(2, who, kind, at=10.2)
    story.sends = [s for s in story.sends if (s.number, s.kind, s.to) != (1, "sms", "+77010000002")]
    story.sends_one(1, 2, "sms", at=13)
    return story


def cancels_and_does_not_say_so() -> Story:
    story = cancelled()
    story.shown(2)["rows"].remove(row(story, 2, 1, "sms"))
    story.count(2)
    story.sends = [s for s in story.sends if (s.number, s.kind, s.to) != (2, "sms", "+77010000001")]
    return story


def stops_what_nobody_cancelled() -> Story:
    story = well()
    row(story, 1, 1, "sms")["state"] = "cancelled"
    story.count(1)
    story.sends = [send for send in story.sends if (send.kind, send.to) != ("sms", "+77010000001")]
    return story


def lets_the_flash_wait() -> Story:
    """Forty low ones go first although a flash was accepted before them."""
    story = Story()
    story.people = [{**story.people[0], "id": f"p{n}", "addresses": [_sms(n)]} for n in range(1, 41)]
    story.posts(alert(1, severity="Minor"))
    story.posts(alert(2, severity="Extreme", urgency="Immediate"), at=1)
    for who in range(1, 41):
        story.delivers(1, who, "sms", at=2.1 + who * 0.02)
        story.delivers(2, who, "sms", at=3.0 + who * 0.02)
    return story


def counts_wrongly() -> Story:
    story = well()
    story.shown(1)["counts"] = {"delivered": 5}
    return story


def breaks_inside() -> Story:
    story = well()
    story.answers(story.deeds[1], at=1, role=Role.RETRY, status=500, end="fail")
    return story


def does_not_accept() -> Story:
    story = well()
    story.answers(story.deeds[1], at=1, role=Role.RETRY, status=503, end="fail")
    return story


def leaves_an_alert_pending() -> Story:
    story = well()
    story.status["redis"]["pending"] = 3
    return story


def says_two_things_under_one_id() -> Story:
    story = well()
    story.fault("kill", "worker", begin=0.2, end=1)
    row(story, 1, 1, "webhook")["possible_duplicate"] = True
    story.sends = [send for send in story.sends if (send.kind, send.to) != ("webhook", "p1")]
    for at, body in ((0.1, "aa"), (2, "bb")):
        story.sends_one(1, 1, "webhook", at=at, line={"recipient": "p1", "delivery": "leg-0", "body": body})
    return story


def goes_back() -> Story:
    """Once it was called failed, and in the end delivered."""
    story = well()
    story.looks_at(1, 1, "sms", "sending", at=0.05)
    story.looks_at(1, 1, "sms", "failed", at=0.09)
    return story


def _sms(number: int) -> dict[str, str]:
    return {"kind": "sms", "value": f"+7701000{number:04}"}


PLANTED: dict[str, tuple[Plant, set[str]]] = {
    plant.__name__: (plant, checks)
    for plant, checks in (
        (forgets_an_alert, {"C1"}),
        (forgets_one_person, {"C1"}),
        (says_delivered_without_a_send, {"C2"}),
        (says_expired_after_a_send, {"C2"}),
        (gives_up_for_no_reason, {"C1"}),
        (calls_it_possibly_sent_on_a_calm_day, {"C1"}),
        (never_ends, {"T"}),
        (tells_somebody_far_away, {"C3"}),
        (widens_what_has_no_place, {"C3"}),
        (sends_what_was_refused, {"C3"}),
        (reads_the_wrong_words, {"C3"}),
        (twice_without_a_label, {"C4"}),
        (twice_although_nothing_was_wrong, {"C4b"}),
        (twice_long_after_the_fault, {"C4b"}),
        (labels_everything, {"C4b"}),
        (recovers_an_alert_twice, {"C6"}),
        (accepts_a_retry_as_new, {"C6"}),
        (accepts_what_is_not_cap, {"C6"}),
        (tells_the_refused_content, {"C6"}),
        (sends_after_it_expired, {"C7"}),
        (sends_after_a_cancel, {"C7"}),
        (sends_the_old_one_after_an_update, {"C7"}),
        (cancels_and_does_not_say_so, {"C1"}),
        (stops_what_nobody_cancelled, {"C1"}),
        (lets_the_flash_wait, {"C8"}),
        (counts_wrongly, {"C10"}),
        (breaks_inside, {"H", "A"}),
        (does_not_accept, {"A"}),
        (leaves_an_alert_pending, {"C11"}),
        (goes_back, {"C9"}),
        (says_two_things_under_one_id, {"C3"}),
    )
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_defect_is_found(name: str) -> None:
    """One thing is wrong; the check that watches it says so, and no other is misled by it."""
    plant, checks = PLANTED[name]
    verdict = judge(plant().history)

    assert set(verdict.broken) == checks, verdict.findings
