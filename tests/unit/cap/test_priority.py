"""The table of classes, cell by cell."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from relay.adapter import Class
from relay.cap.model import Alert, Info, Pair, Time
from relay.cap.priority import alert_class, classify, corrects, lowers_severity, severity_rank

SENT = Time("2026-03-01T10:00:00+06:00", datetime(2026, 3, 1, 4, tzinfo=UTC))
FLASH = ("Earthquake", "жер титирөө", "прорыв плотины")

URGENCIES = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")
CELLS = list(itertools.product(URGENCIES, SEVERITIES, CERTAINTIES))

# Written out by hand from design §8; Unknown is replaced by what it is read as.  Past and Unlikely are P4 throughout.
TABLE = {
    ("Immediate", "Extreme", "Observed"): "P0",
    ("Immediate", "Extreme", "Likely"): "P0",
    ("Immediate", "Extreme", "Possible"): "P2",
    ("Immediate", "Severe", "Observed"): "P1",
    ("Immediate", "Severe", "Likely"): "P1",
    ("Immediate", "Severe", "Possible"): "P2",
    ("Immediate", "Moderate", "Observed"): "P2",
    ("Immediate", "Moderate", "Likely"): "P2",
    ("Immediate", "Moderate", "Possible"): "P3",
    ("Immediate", "Minor", "Observed"): "P4",
    ("Immediate", "Minor", "Likely"): "P4",
    ("Immediate", "Minor", "Possible"): "P4",
    ("Expected", "Extreme", "Observed"): "P1",
    ("Expected", "Extreme", "Likely"): "P1",
    ("Expected", "Extreme", "Possible"): "P2",
    ("Expected", "Severe", "Observed"): "P1",
    ("Expected", "Severe", "Likely"): "P1",
    ("Expected", "Severe", "Possible"): "P2",
    ("Expected", "Moderate", "Observed"): "P3",
    ("Expected", "Moderate", "Likely"): "P3",
    ("Expected", "Moderate", "Possible"): "P3",
    ("Expected", "Minor", "Observed"): "P4",
    ("Expected", "Minor", "Likely"): "P4",
    ("Expected", "Minor", "Possible"): "P4",
    ("Future", "Extreme", "Observed"): "P2",
    ("Future", "Extreme", "Likely"): "P2",
    ("Future", "Extreme", "Possible"): "P2",
    ("Future", "Severe", "Observed"): "P2",
    ("Future", "Severe", "Likely"): "P2",
    ("Future", "Severe", "Possible"): "P2",
    ("Future", "Moderate", "Observed"): "P3",
    ("Future", "Moderate", "Likely"): "P3",
    ("Future", "Moderate", "Possible"): "P3",
    ("Future", "Minor", "Observed"): "P4",
    ("Future", "Minor", "Likely"): "P4",
    ("Future", "Minor", "Possible"): "P4",
}


def info(
    urgency: str = "Future",
    severity: str = "Moderate",
    certainty: str = "Possible",
    *,
    event: str = "Wind",
    codes: tuple[str, ...] = (),
    response: tuple[str, ...] = (),
) -> Info:
    return Info(
        category=("Met",),
        event=event,
        urgency=urgency,
        severity=severity,
        certainty=certainty,
        response_type=response,
        event_code=tuple(Pair("scheme", code) for code in codes),
    )


def alert(*infos: Info, status: str = "Actual") -> Alert:
    return Alert(
        identifier="1",
        sender="duty@meteo.example",
        sent=SENT,
        status=status,
        msg_type="Alert",
        scope="Public",
        info=infos,
    )


def klass(one: Info, status: str = "Actual") -> Class:
    return classify(alert(one, status=status), one, flash_events=FLASH)


@pytest.mark.parametrize(("urgency", "severity", "certainty"), CELLS)
def test_every_cell_of_the_table(urgency: str, severity: str, certainty: str) -> None:
    """Every combination of urgency, severity and certainty has the class of design §8."""
    if urgency == "Past" or certainty == "Unlikely":
        expected = "P4"
    else:
        read = {"Unknown": "Expected"}.get(urgency, urgency)
        expected = TABLE[
            read, {"Unknown": "Moderate"}.get(severity, severity), {"Unknown": "Likely"}.get(certainty, certainty)
        ]

    assert klass(info(urgency, severity, certainty)) == expected


@pytest.mark.parametrize("status", ["Exercise", "Test", "System", "Draft", "actual"])
@pytest.mark.parametrize(("urgency", "severity", "certainty"), CELLS)
def test_what_is_not_actual_is_a_drill(status: str, urgency: str, severity: str, certainty: str) -> None:
    """Nothing but Actual enters P0 to P4, a flash event included."""
    assert klass(info(urgency, severity, certainty, event="earthquake"), status) is Class.PX


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (info("Immediate", "Minor", "Possible", event="EARTHQUAKE"), Class.P0),
        (info("Immediate", "Unknown", "Unknown", event=" Прорыв  Плотины "), Class.P0),
        (info("Immediate", "Minor", "Possible", event="Жер ТИТИРӨӨ"), Class.P0),
        (info("Immediate", "Minor", "Possible", codes=("X", "earthquake")), Class.P0),
        (info("Expected", "Minor", "Possible", event="earthquake"), Class.P4),
        (info("Unknown", "Severe", "Likely", event="earthquake"), Class.P1),
        (info("Past", "Extreme", "Observed", event="earthquake"), Class.P4),
        (info("Immediate", "Extreme", "Unlikely", event="earthquake"), Class.P4),
        (info("Immediate", "Minor", "Possible", event="earthquake drill"), Class.P4),
        (info("Immediate", "Minor", "Possible", event=""), Class.P4),
    ],
)
def test_flash_list(one: Info, expected: Class) -> None:
    """An event on the flash list is P0 only when it is Immediate, and only as a whole name or code."""
    assert klass(one) is expected


def test_flash_name_in_decomposed_letters() -> None:
    """The flash list also fits a name whose letters are written as base and mark."""
    one = info("Immediate", "Minor", "Possible", event="сель на свои\u0306 страх")

    assert classify(alert(one), one, flash_events=["Сель на свой страх"]) is Class.P0


def test_empty_flash_entry_matches_nothing() -> None:
    """A blank line in the setting does not make every nameless event a flash."""
    one = info("Immediate", "Minor", "Possible", event="")

    assert classify(alert(one), one, flash_events=["", " "]) is Class.P4


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (info("Expected", "Moderate", "Observed", response=("Monitor", "AllClear")), Class.P4),
        (info("Immediate", "Moderate", "Observed", response=("AllClear",)), Class.P2),
        (info("Expected", "Severe", "Observed", response=("AllClear",)), Class.P1),
    ],
)
def test_all_clear_lowers_only_p3(one: Info, expected: Class) -> None:
    """An all-clear makes P4 of what would be P3 and of nothing more urgent."""
    assert klass(one) is expected


def test_alert_has_the_class_of_its_worst_info() -> None:
    """The most urgent info decides where an alert waits."""
    both = alert(info("Future", "Minor", "Likely"), info("Immediate", "Extreme", "Likely"))

    assert alert_class(both, flash_events=FLASH) is Class.P0


def test_alert_without_info() -> None:
    """A Cancel without info reads as all Unknown: P3; as a drill it is PX."""
    assert alert_class(alert(), flash_events=FLASH) is Class.P3
    assert alert_class(alert(status="Test"), flash_events=FLASH) is Class.PX


@pytest.mark.parametrize("lowers", [False, True])
@pytest.mark.parametrize("msg_type", ["Alert", "Update", "Cancel", "Ack", "Error"])
@pytest.mark.parametrize("old", list(Class))
def test_corrections_of_urgent_news(old: Class, msg_type: str, lowers: bool) -> None:
    """Any Cancel, and a lowering Update, of a P0 or P1 is P0; nothing else is raised."""
    urgent = old in {Class.P0, Class.P1}
    raised = urgent and (msg_type == "Cancel" or (msg_type == "Update" and lowers))

    assert corrects(old, msg_type, lowers=lowers) is (Class.P0 if raised else None)


@pytest.mark.parametrize(
    ("new", "lowers"),
    [
        ((info("Expected", "Moderate", "Likely"),), True),
        ((info("Immediate", "Severe", "Likely"),), False),
        ((info("Immediate", "Extreme", "Likely"),), False),
        ((info("Past", "Extreme", "Observed"),), True),
        ((info("Expected", "Extreme", "Likely", response=("AllClear",)),), True),
        ((info("Expected", "Minor", "Likely"), info("Expected", "Severe", "Likely")), False),
        ((), True),
    ],
)
def test_what_lowers(new: tuple[Info, ...], lowers: bool) -> None:
    """An Update lowers when its worst is less severe than before, or it withdraws."""
    assert lowers_severity(alert(info("Immediate", "Severe", "Likely")), alert(*new)) is lowers


@pytest.mark.parametrize(
    ("severity", "rank"), [("Minor", 1), ("Moderate", 2), ("Severe", 3), ("Extreme", 4), ("Unknown", 2), ("", 2)]
)
def test_severity_rank(severity: str, rank: int) -> None:
    """Unknown reads as Moderate."""
    assert severity_rank(severity) == rank
