"""The count after the kill."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relay.demo.crowd import Doubles
from relay.demo.killing import judge
from relay.demo.people import QUICK

FOUND = Doubles(missing=0, doubled=frozenset({"a-1"}), labelled=frozenset({"a-1", "a-2"}))
ROWS = [{"id": f"a-{n}", "state": "delivered"} for n in range(QUICK)]


def test_as_promised() -> None:
    """Everybody told, every double labelled; a label too many is honest."""
    verdict = judge(FOUND, ROWS, took=6.1, waiting=0)

    assert verdict.kept
    assert verdict.says == (
        "2,000 of 2,000 told · 0 lost · 2 labelled “may have come twice”, 1 did · 6.1 s after the kill"
    )


@pytest.mark.parametrize(
    ("found", "rows", "waiting"),
    [
        (replace(FOUND, missing=1), ROWS, 0),
        (replace(FOUND, labelled=frozenset({"a-2"})), ROWS, 0),
        (FOUND, ROWS[1:], 0),
        (FOUND, [{"id": "a-0", "state": "possibly_sent"}, *ROWS[1:]], 0),
        (FOUND, ROWS, 3),
    ],
)
def test_not_as_promised(found: Doubles, rows: list[dict[str, Any]], waiting: int) -> None:
    """One lost, one double without a label, one without its end: each fails the scene."""
    assert not judge(found, rows, took=1, waiting=waiting).kept
