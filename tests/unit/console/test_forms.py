"""Whether a form comes from our own page."""

import pytest

from relay.console.forms import own_page


@pytest.mark.parametrize(
    ("headers", "proof", "own"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True, True),
        ({"Sec-Fetch-Site": "same-site"}, False, False),
        ({"Sec-Fetch-Site": "cross-site"}, False, False),
        ({"Sec-Fetch-Site": "none"}, False, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://alert.example"}, True, False),
        ({"Origin": "https://alert.example"}, True, True),
        ({"Origin": "http://127.0.0.1:8080"}, True, True),
        ({"Origin": "http://127.0.0.1:8081"}, True, False),
        ({"Origin": "https://alert.example.evil.example"}, True, False),
        ({"Origin": "ftp://127.0.0.1:8080"}, True, False),
        ({"Origin": "null"}, False, False),
        ({"Origin": ""}, False, False),
        ({}, True, False),
        ({}, False, True),
    ],
)
def test_only_our_own_page_sends_forms(headers: dict[str, str], *, proof: bool, own: bool) -> None:
    """What the browser says decides; a program that says nothing may sign in, and change nothing."""
    assert own_page(headers, host="127.0.0.1:8080", origin="https://alert.example", proof=proof) is own
