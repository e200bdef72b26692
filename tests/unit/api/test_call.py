"""Negotiation of what an answer looks like."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from relay.api.call import answer, wants


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        ("text/html;q=0.4, application/json", False),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
    ],
)
def test_who_wants_a_page(accept: str, html: bool) -> None:
    """Only a reader that names HTML, and likes it as much as JSON, gets a page."""
    request = make_mocked_request("GET", "/status", headers={"Accept": accept})

    assert wants(request, "text/html", rather_than="application/json") is html


def test_json_answers() -> None:
    """An answer is UTF-8 JSON with its status and headers."""
    made = answer({"a": "ж"}, status=202, headers={"Location": "/x"})

    assert (made.status, made.body, made.charset) == (202, '{"a":"ж"}'.encode(), "utf-8")
    assert made.headers["Location"] == "/x"
