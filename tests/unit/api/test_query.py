"""Query parameters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import make_mocked_request

from relay.api.problems import Refused
from relay.api.query import Query

KNOWN = ("limit", "cursor", "since", "wait", "state", "dry_run", "recipient")


def query(text: str) -> Query:
    """Return the parameters of a request."""
    return Query(make_mocked_request("GET", f"/?{text}"), KNOWN)


def test_defaults() -> None:
    """What is not given has its default."""
    given = query("")

    assert given.limit() == 100
    assert given.cursor() == ""
    assert given.instant("since") is None
    assert given.seconds("wait", most=60) == 0
    assert given.choice("state", ("held",)) == ""
    assert given.flag("dry_run") is False


def test_values() -> None:
    """What is given is read."""
    given = query("limit=7&cursor=12-ab&since=2026-03-01T04:30:00%2B05:00&wait=90&state=held&dry_run=true&recipient=r")

    assert given.limit() == 7
    assert given.cursor() == "12-ab"
    assert given.instant("since") == datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert given.seconds("wait", most=60) == 60
    assert given.choice("state", ("held",)) == "held"
    assert given.flag("dry_run") is True
    assert given.text("recipient") == "r"


def test_a_plus_that_nobody_escaped() -> None:
    """A zone whose plus became a space is read as it was meant."""
    assert query("since=2026-03-01T04:30:00+05:00").instant("since") == datetime(2026, 2, 28, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["sort=x", "limit=1&limit=2", "__proto__=1"])
def test_strangers_and_doubles(text: str) -> None:
    """An unknown parameter, and a doubled one, is a mistake."""
    with pytest.raises(Refused):
        query(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "1001"), ("limit", "%D9%A5"), ("limit", "+5"), ("limit", ""), ("cursor", "a%0Ab"),
     ("cursor", "a" * 101), ("since", "now"), ("wait", "-1"), ("wait", "NaN"), ("state", "gone"), ("dry_run", "yes"),
     ("recipient", "a%00")],
)  # fmt: skip
def test_what_cannot_be_meant(name: str, value: str) -> None:
    """Each is refused with a sentence that repeats little of it."""
    given = query(f"{name}={value}")
    read: dict[str, Callable[[], object]] = {
        "limit": given.limit,
        "cursor": given.cursor,
        "since": lambda: given.instant("since"),
        "wait": lambda: given.seconds("wait", most=60),
        "state": lambda: given.choice("state", ("held",)),
        "dry_run": lambda: given.flag("dry_run"),
        "recipient": lambda: given.text("recipient"),
    }
    with pytest.raises(Refused) as refused:
        read[name]()

    assert refused.value.problem.slug == "bad-parameter"
    assert len(refused.value.problem.detail) < 200


def test_strangers_are_ignored_where_old_tools_post() -> None:
    """An old composer that adds parameters of its own is not refused for them."""
    Query(make_mocked_request("POST", "/?utm=1&limit=3"), ("limit",), strangers=True)
