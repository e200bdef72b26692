"""The answers to a repetition and to swapped coordinates."""

from __future__ import annotations

from typing import Any

import pytest

from relay.demo.mistakes import judge_again, judge_broken
from relay.demo.relay_client import Posted


def posted(status: int, **body: Any) -> Posted:
    return Posted(status=status, body=body, took=0.01, at=0.0)


AGAIN = {"duplicate": {"of": "abcdefgh", "key": "K0", "why": "the same bytes were posted before"}}
ERROR = {"rule": "CAP-031", "severity": "error", "line": 24, "message": "The first number is the latitude."}


def test_again() -> None:
    """A repetition is 200 with the first id and sends nothing."""
    verdict = judge_again(posted(200, **AGAIN), of="abcdefgh", messages=0)

    assert verdict.kept
    assert verdict.says == "200, duplicate of abcd… (the same bytes were posted before) · 0 messages"


@pytest.mark.parametrize(
    ("answer", "messages"),
    [(posted(202, **AGAIN), 0), (posted(200, duplicate=None), 0), (posted(200, **AGAIN), 1)],
)
def test_again_not_as_promised(answer: Posted, messages: int) -> None:
    """Another status, another id or a message more fails the scene."""
    assert not judge_again(answer, of="abcdefgh", messages=messages).kept


def test_broken() -> None:
    """Swapped pairs are refused with rule and line; warnings beside it are not shown."""
    answer = posted(422, errors=[{"rule": "CAP-005", "severity": "warning"}, ERROR])
    verdict = judge_broken(answer, messages=0)

    assert verdict.kept
    assert verdict.says == "422 CAP-031 line 24: The first number is the latitude · 0 messages"


@pytest.mark.parametrize(
    ("answer", "messages"),
    [
        (posted(202), 0),
        (posted(422), 0),
        (posted(422, errors=[{**ERROR, "rule": "CAP-030"}]), 0),
        (posted(422, errors=[{**ERROR, "line": None}]), 0),
        (posted(422, errors=[ERROR]), 2),
    ],
)
def test_broken_not_as_promised(answer: Posted, messages: int) -> None:
    """Accepting it, another rule, no line or a message fails the scene."""
    assert not judge_broken(answer, messages=messages).kept
