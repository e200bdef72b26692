"""When an alert may leave Redis: decided from its facts and its legs."""

from dataclasses import replace

import pytest

from relay.adapter import Class
from relay.store.alerts import StoredAlert
from relay.store.cursor import Cursor
from relay.store.legs import Leg
from relay.tracking.finished import OTHERS_TOO, finished_ms, is_mine, is_needed, note_seconds

CURSOR = Cursor(klass=Class.P1, expires=9e12, start=1000.0, sizes=(3,))


def leg(done: str = "5000", leased: int = 0) -> Leg:
    facts = {"alert": "a", "kind": "sms", **({"done": done} if done else {})}
    return Leg("leg", facts, replace(CURSOR, leased=leased), {})


def alert(**facts: str) -> StoredAlert:
    return StoredAlert({"state": "completed", "received": "1000", "node": "n", "expires": "10000", **facts})


@pytest.mark.parametrize(
    ("facts", "legs", "since"),
    [
        ({}, [], 1000),
        ({"done": "7000"}, [leg()], 7000),
        ({"done": "4000"}, [leg("5000.0")], 5000),
        ({"back": "9000"}, [leg()], 9000),
        ({"state": "rejected", "decided": "3000"}, [], 3000),
        ({"state": "cancelled"}, [leg()], 5000),
    ],
)
def test_counts_from_the_last_thing_that_happened(facts: dict[str, str], legs: list[Leg], since: int) -> None:
    """The retention begins with the end of the last delivery, the decision, or the return from the archive."""
    assert finished_ms(alert(**facts), legs) == since


@pytest.mark.parametrize(
    ("facts", "legs"),
    [
        ({"state": "active"}, []),
        ({"state": "held"}, []),
        ({"state": "accepted"}, []),
        ({"waits": '{"leg":[[0,0,1]]}'}, []),
        ({"state": "cancelled"}, [leg(done="")]),
        ({}, [leg(), leg(leased=1)]),
    ],
)
def test_unfinished(facts: dict[str, str], legs: list[Leg]) -> None:
    """Whatever is planned, held, sent, waited for or leased is not finished."""
    assert finished_ms(alert(**facts), legs) is None


@pytest.mark.parametrize(
    ("node", "now", "mine"),
    [
        ("n", 0, True),
        ("other", 5000, False),
        ("other", 5000 + OTHERS_TOO * 1000, False),
        ("other", 5001 + OTHERS_TOO * 1000 + 10_000, True),
    ],
)
def test_each_node_archives_its_own(node: str, now: int, mine: bool) -> None:
    """Another node's alert is taken over only when its node is silent and the alert's time is over."""
    stored = alert(expires=str(5000 + OTHERS_TOO * 1000 + 5_000))

    assert is_mine(stored, node=node, now_ms=now, since_ms=5000) is mine


def test_alert_of_an_older_relay_is_anybodys() -> None:
    """An alert that does not say which node accepted it is archived by whoever looks first."""
    assert is_mine(alert(node=""), node="x", now_ms=0, since_ms=0)


@pytest.mark.parametrize(
    ("targets", "referrers", "needed"),
    [
        ([], [], False),
        ([{"state": "cancelled"}], [], True),
        ([], [{"state": "active"}], True),
        ([], [{"state": "completed"}], False),
        ([], [{"state": "held", "expires": "6000"}], True),
        ([], [{"state": "held", "expires": "4000"}], False),
    ],
)
def test_needed(targets: list[dict[str, str]], referrers: list[dict[str, str]], needed: bool) -> None:
    """What a Cancel is being made from stays, and the Cancel stays as long as what it cancelled."""
    found = is_needed([StoredAlert(t) for t in targets], [StoredAlert(r) for r in referrers], now_ms=5000)

    assert found is needed


@pytest.mark.parametrize(("nodes", "now", "seconds"), [(1, 0, 0), (2, 4000, 6), (2, 20_000, 0), (3, -(10**9), 100)])
def test_note_for_other_nodes(nodes: int, now: int, seconds: int) -> None:
    """One node leaves nothing in Redis; several leave a note while the alert lives, within bounds."""
    assert note_seconds(alert(), nodes=nodes, now_ms=now, most=100) == seconds
