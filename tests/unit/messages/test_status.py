"""The status word comes first, whatever a template did."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay.cap.model import Alert
from relay.messages.phrasebook import table
from relay.messages.status import banner, first, status_word

Alerts = Callable[..., Alert]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("Actual", ""),
        ("Exercise", "УЧЕНИЯ"),
        ("Test", "ПРОВЕРКА"),
        ("System", "СЛУЖЕБНОЕ"),
        ("Draft", "DRAFT"),
        ("", "ПРОВЕРКА"),
    ],
)
def test_status_word(alert_of: Alerts, status: str, word: str) -> None:
    """Only an Actual alert has no word; what is unknown is never shown as real."""
    assert status_word(alert_of(status=status), table("ru")) == word


def test_first() -> None:
    """The word is a sentence of its own."""
    assert first("МЧС: сель", "УЧЕНИЯ") == "УЧЕНИЯ. МЧС: сель"
    assert first("МЧС: сель", "") == "МЧС: сель"


@pytest.mark.parametrize(
    "html",
    ["<html><title>x</title><body class='a'><p>x</p></body></html>", "<BODY><p>x</p>", "<p>x</p>"],
)
def test_banner(html: str) -> None:
    """A page says it before anything else, even a page that forgot its body."""
    page = banner(html, "УЧЕНИЯ", note="<не тревога>")

    assert page.index("УЧЕНИЯ.") < page.index("<p>x</p>")
    assert "&lt;не тревога&gt;" in page
    assert "<title>УЧЕНИЯ. x" in page or "<title>" not in page


def test_banner_of_a_real_alert() -> None:
    """A real alert carries no banner."""
    assert banner("<body>", "") == "<body>"
