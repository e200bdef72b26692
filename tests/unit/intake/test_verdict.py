"""The verdict: a mistake never widens, a wrong clock never silences, nothing old is sent."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from relay.adapter import Class
from relay.cap.lifetime import Expiry
from relay.cap.model import Alert
from relay.cap.parse import Limits, parse_json
from relay.errors import Finding, InvalidAlert
from relay.intake.authority import Key
from relay.intake.verdict import Circumstances, State, Verdict, clock_doubt, judge
from relay.testing.clocks import START
from tests.unit.intake.conftest import MakeAlert, MakeKey, area

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
GIVEN = Circumstances(received_at=START, clock_trusted=True, assumed_lifetime=24 * HOUR)
ALMATY = "42.5,76,44,78.5"


def judged(
    alert: Alert, key: Key, *, klass: Class = Class.P1, expires: datetime = START + HOUR, **given: Any
) -> Verdict:
    return judge(
        alert,
        (),
        key=key,
        klass=klass,
        expiry=Expiry(expires, assumed=False),
        given=dataclasses.replace(GIVEN, **given),
    )


def rules(verdict: Verdict) -> list[str]:
    return [finding.rule for finding in verdict.findings]


def test_an_ordinary_alert_is_accepted(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """Nothing is said about an alert with which all is well; it lives from sent to expires."""
    verdict = judged(make_alert(), make_key())

    assert verdict == Verdict(
        state=State.ACCEPTED, reason="", findings=(), counted_from=START - MINUTE, expires=START + HOUR
    )


@pytest.mark.parametrize("status", ["Exercise", "Test", "System"])
def test_a_drill_is_not_held_for_being_one(make_alert: MakeAlert, make_key: MakeKey, status: str) -> None:
    """Drills have their own lane; they wait for nobody."""
    assert judged(make_alert(status=status), make_key(), klass=Class.PX).state is State.ACCEPTED


# -- whom it is for


@pytest.mark.parametrize("msg_type", ["Alert", "Update"])
@pytest.mark.parametrize("values", [{"areas": (area(),)}, {"areas": ()}, {"info": ()}])
def test_without_a_usable_area_nobody_is_told(
    make_alert: MakeAlert, make_key: MakeKey, msg_type: str, values: dict[str, Any]
) -> None:
    """A missing area never means everybody; an Update does not take over an older area by a guess."""
    verdict = judged(make_alert(msg_type=msg_type, **values), make_key())

    assert (verdict.state, verdict.reason) == (State.HELD, "no_usable_area")
    assert rules(verdict) == ["RELAY-AREA"]


@pytest.mark.parametrize(
    "usable",
    [area(geocodes=("KZ-75",)), area(circles=("43,76 0",)), area(polygons=("43,76 43,77 44,77 43,76",))],
)
def test_any_geometry_is_usable(make_alert: MakeAlert, make_key: MakeKey, usable: Any) -> None:
    """One polygon, circle or geocode in any info is enough."""
    assert judged(make_alert(areas=(area(), usable)), make_key()).state is State.ACCEPTED


@pytest.mark.parametrize("scope", ["Private", "Restricted"])
def test_addressed_alerts_need_no_area(make_alert: MakeAlert, make_key: MakeKey, scope: str) -> None:
    """Private and Restricted alerts reach only those that addresses names, wherever they are."""
    alert = make_alert(scope=scope, addresses=("group:rescue",), areas=())

    assert judged(alert, make_key()).state is State.ACCEPTED


@pytest.mark.parametrize("scope", ["Private", "Restricted"])
def test_who_is_meant_must_be_said(make_alert: MakeAlert, make_key: MakeKey, scope: str) -> None:
    """Without addresses a Private or Restricted alert is not sent to all who live there."""
    verdict = judged(make_alert(scope=scope, restriction="staff"), make_key())

    assert verdict.state is State.HELD
    assert verdict.reason == f"{scope.lower()}_without_addresses"


def test_a_public_alert_with_addresses_needs_an_area(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """Addresses narrow only what is not public."""
    alert = make_alert(addresses=("group:rescue",), areas=())

    assert judged(alert, make_key()).reason == "no_usable_area"


@pytest.mark.parametrize("msg_type", ["Ack", "Error"])
def test_answers_are_kept_and_told_to_nobody(make_alert: MakeAlert, make_key: MakeKey, msg_type: str) -> None:
    """Ack and Error are no warnings: nothing is to be done, whatever their times and areas."""
    alert = make_alert(msg_type=msg_type, info=())
    verdict = judged(alert, make_key(area=ALMATY), expires=START - HOUR)

    assert (verdict.state, verdict.reason) == (State.COMPLETED, "not_disseminated")


# -- where


def test_outside_the_territory_waits_for_a_person(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """An agency's mistake or misuse does not reach its neighbour's people."""
    verdict = judged(make_alert(areas=(area(circles=("38.5,68.8 10",)),)), make_key(area=ALMATY))

    assert (verdict.state, verdict.reason) == (State.HELD, "outside_jurisdiction")
    assert verdict.findings[0].path == "/alert/info[1]/area[1]/circle[1]"


def test_inside_the_territory_passes(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """A key with an area is not slower for what lies inside."""
    assert judged(make_alert(), make_key(area=ALMATY)).state is State.ACCEPTED


def test_geocodes_that_cannot_be_compared(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """What cannot be checked is not believed when the key has borders."""
    verdict = judged(make_alert(areas=(area(geocodes=("KZ-75",)),)), make_key(area=ALMATY))

    assert (verdict.state, verdict.reason) == (State.HELD, "jurisdiction_unknown")


def test_swapped_coordinates_are_refused_with_the_hint(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """Latitude and longitude in the wrong order are refused, with the right order and all other findings."""
    earlier = Finding(rule="CAP-019", severity="warning", message="long")
    alert = make_alert(areas=(area(circles=("76.90,43.24 10",)),))

    with pytest.raises(InvalidAlert) as caught:
        judge(
            alert,
            (earlier,),
            key=make_key(area=ALMATY),
            klass=Class.P1,
            expiry=Expiry(START + HOUR, assumed=False),
            given=GIVEN,
        )

    assert caught.value.status == 422
    refused, other = caught.value.findings
    assert other == earlier
    assert (refused.rule, refused.severity) == ("CAP-031", "error")
    assert refused.path == "/alert/info[1]/area[1]/circle[1]"
    assert all("43.24,76.90" in text for text in (refused.message, refused.message_ru))


def test_findings_point_to_where_the_agency_wrote_it(make_key: MakeKey) -> None:
    """A JSON alert gets a JSON Pointer instead of an XPath."""
    body = {
        "identifier": "a-1",
        "sender": "duty@meteo.example",
        "sent": START.isoformat(),
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": [
            {
                "category": ["Met"],
                "event": "Flood",
                "urgency": "Expected",
                "severity": "Severe",
                "certainty": "Likely",
                "area": [{"areaDesc": "Almaty", "circle": ["38.5,68.8 10"]}],
            }
        ],
    }
    parsed = parse_json(orjson.dumps(body), limits=Limits(), strict=False)
    verdict = judge(
        parsed.alert,
        parsed.findings,
        key=make_key(area=ALMATY),
        klass=Class.P1,
        expiry=Expiry(START + HOUR, assumed=False),
        given=GIVEN,
        shapes=parsed.shapes,
    )

    assert verdict.findings[0].path == "/info/0/area/0/circle/0"


def test_another_hazard_than_the_keys(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """A seismologist's key does not send weather without a person's word."""
    assert judged(make_alert(), make_key(hazards=("Geo",))).reason == "outside_hazards"
    assert judged(make_alert(), make_key(hazards=("Geo", "Met"))).state is State.ACCEPTED


# -- when


def test_a_clock_a_little_ahead_is_nothing(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """Two minutes are tolerated in silence."""
    verdict = judged(make_alert(sent=START + 2 * MINUTE), make_key())

    assert verdict.findings == ()
    assert verdict.expires == START + HOUR


def test_sent_ahead_is_counted_from_receipt(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """An hour ahead: it is sent now, and lives as long as it was meant to."""
    verdict = judged(make_alert(sent=START + HOUR), make_key(), expires=START + 3 * HOUR)

    assert (verdict.state, rules(verdict)) == (State.ACCEPTED, ["RELAY-CLOCK"])
    assert "60 min" in verdict.findings[0].message
    assert (verdict.counted_from, verdict.expires) == (START, START + 2 * HOUR)


def test_expired_on_arrival_is_not_sent(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """What ended before it came is kept and not sent."""
    alert = make_alert(sent=START - timedelta(days=2))
    verdict = judged(alert, make_key(), klass=Class.P0, expires=START - timedelta(days=1))

    assert (verdict.state, verdict.reason, rules(verdict)) == (State.EXPIRED, "expired_on_arrival", ["RELAY-EXPIRED"])


def test_the_end_itself_is_too_late(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """At the second of expires the alert has ended."""
    alert = make_alert(sent=START - 90 * MINUTE)

    assert judged(alert, make_key(), expires=START).state is State.EXPIRED
    assert judged(alert, make_key(), expires=START + timedelta(seconds=1)).state is State.ACCEPTED


@pytest.mark.parametrize("klass", [Class.P0, Class.P1, Class.P2])
@pytest.mark.parametrize("ago", [5 * MINUTE, 5 * HOUR, 5 * HOUR - 2 * MINUTE])
def test_a_wrong_clock_never_silences_a_warning(
    make_alert: MakeAlert, make_key: MakeKey, klass: Class, ago: timedelta
) -> None:
    """Urgent, seemingly expired, but sent just now or whole hours off: a person decides."""
    verdict = judged(make_alert(sent=START - ago), make_key(), klass=klass, expires=START - MINUTE)

    assert (verdict.state, verdict.reason, rules(verdict)) == (State.HELD, "clock_doubt", ["RELAY-CLOCK"])


@pytest.mark.parametrize("klass", [Class.P3, Class.P4, Class.PX])
def test_low_classes_expire_without_a_person(make_alert: MakeAlert, make_key: MakeKey, klass: Class) -> None:
    """Nobody is woken for a low alert or a drill that came too late."""
    verdict = judged(make_alert(sent=START - 5 * HOUR), make_key(), klass=klass, expires=START - MINUTE)

    assert verdict.state is State.EXPIRED


@pytest.mark.parametrize(
    ("age", "doubt"),
    [
        (timedelta(0), True),
        (15 * MINUTE, True),
        (16 * MINUTE, False),
        (57 * MINUTE, False),
        (58 * MINUTE, True),
        (62 * MINUTE, True),
        (63 * MINUTE, False),
        (14 * HOUR + 2 * MINUTE, True),
        (14 * HOUR + 3 * MINUTE, False),
        (15 * HOUR, False),
        (-2 * MINUTE, True),
        (-3 * MINUTE, False),
        (-6 * HOUR, True),
        (-30 * MINUTE, False),
    ],
)
def test_where_the_doubt_ends(age: timedelta, doubt: bool) -> None:
    """At most 15 minutes old, or 1 to 14 whole hours off, two minutes either way (§18)."""
    assert clock_doubt(START - age, START) is doubt


def test_our_own_wrong_clock_makes_no_expiry_decision(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """While our clock is in doubt nothing is called expired, of any class."""
    alert = make_alert(sent=START - timedelta(days=300))
    verdict = judged(alert, make_key(), klass=Class.P4, expires=START - timedelta(days=299), clock_trusted=False)

    assert (verdict.state, verdict.reason) == (State.HELD, "own_clock_doubt")


@pytest.mark.parametrize("trusted", [True, False])
def test_an_alert_in_doubt_can_still_be_sent(make_alert: MakeAlert, make_key: MakeKey, trusted: bool) -> None:
    """What a person approves lives as long as the agency said, from receipt; it expired the moment it was approved."""
    alert = make_alert(sent=START - 5 * HOUR)
    verdict = judged(alert, make_key(), klass=Class.P1, expires=START - 2 * HOUR, clock_trusted=trusted)
    backwards = judged(alert, make_key(), klass=Class.P1, expires=START - 6 * HOUR, clock_trusted=trusted)

    assert (verdict.state, verdict.counted_from, verdict.expires) == (State.HELD, START, START + 3 * HOUR)
    assert backwards.expires > START + HOUR


def test_several_reasons_are_all_said(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """Who decides sees every reason at once; the first is the reason of the record."""
    alert = make_alert(sent=START - 5 * MINUTE, areas=())
    verdict = judged(alert, make_key(hazards=("Geo",)), expires=START - MINUTE)

    assert verdict.reason == "clock_doubt"
    assert rules(verdict) == ["RELAY-CLOCK", "RELAY-AREA", "RELAY-HAZARD"]


# -- Cancel


def test_a_cancel_needs_neither_area_nor_territory(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """A Cancel goes to those who were told."""
    far = area(circles=("38.5,68.8 10",))

    for values in ({"info": ()}, {"areas": ()}, {"areas": (far,)}):
        assert judged(make_alert(msg_type="Cancel", **values), make_key(area=ALMATY)).state is State.ACCEPTED


def test_a_cancel_that_ended_at_once_is_sent_all_the_same(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """Those who were told hear of the Cancel although its own expires has passed."""
    sent = START - MINUTE
    verdict = judged(make_alert(msg_type="Cancel", sent=sent), make_key(), expires=sent)

    assert (verdict.state, rules(verdict)) == (State.ACCEPTED, ["RELAY-EXPIRED"])
    assert verdict.expires == sent + 24 * HOUR


def test_an_old_cancel_is_too_late(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """A Cancel older than the assumed lifetime is kept and not sent."""
    alert = make_alert(msg_type="Cancel", sent=START - timedelta(days=2))

    assert judged(alert, make_key(), klass=Class.P2, expires=START - timedelta(days=1)).state is State.EXPIRED


def test_a_cancel_of_two_alerts_waits_for_a_person(make_alert: MakeAlert, make_key: MakeKey) -> None:
    """When the reference fits two alerts both are shown, and nothing is cancelled by a guess."""
    alert = make_alert(msg_type="Cancel")

    assert judged(alert, make_key(), ambiguous=("b",)).state is State.ACCEPTED
    verdict = judged(alert, make_key(), ambiguous=("b", "a"))
    assert (verdict.state, verdict.reason) == (State.HELD, "ambiguous_reference")
    assert "a, b" in verdict.findings[0].message
