"""One question a page: what will happen, to what, and a button that says so."""

import re
from datetime import UTC

import pytest

from relay.console.figures import Wall
from relay.console.page import Links
from relay.console.questions import NEEDS, notice_page, question_of, question_page, say_of
from relay.console.situation import read
from relay.testing.clocks import START
from tests.unit.console.situations import CALM, HELD, TROUBLE

ABOUT = {"approve": "mudflow", "reject": "mudflow", "pause": "sms-south", "resume-channel": "webhook"}


def asked(ask: str, language: str = "en") -> str:
    question = question_of(ask, ABOUT.get(ask, ""), read(TROUBLE))
    assert question is not None
    say = say_of(language)
    return question_page(question, say=say, wall=Wall(START, UTC, language), links=Links(), csrf="token-1")


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("ask", NEEDS)
def test_every_question_is_asked_in_words(ask: str, language: str) -> None:
    """Title, consequence and button are sentences; the form carries the session's token; the page stays as it is."""
    html = asked(ask, language)
    button = re.search(r'<button class="b (?:main|danger)">([^<_{]+)</button>', html)

    assert button is not None
    assert button[1].strip()
    assert 'name="csrf" value="token-1"' in html
    assert "http-equiv" not in html
    assert "<script" not in html
    assert re.search(r"<h1>[^<_{]+\?</h1>", html)


def test_an_alert_is_shown_before_it_is_decided() -> None:
    """Class, whether it is real, what, where, whose, since when, and why it was held."""
    html = asked("approve")

    for fact in (
        "P0 ACTUAL",
        "Mudflow, Ozgon district",
        "Hydromet",
        "05:58:20 · 1 min 40 s",
        "outside the agency&#39;s territory",
    ):
        assert f"<dd>{fact}</dd>" in html
    assert 'action="/status/alerts/mudflow/approval"' in html
    assert 'name="decision" value="approve"' in html
    assert 'name="decision" value="reject"' in asked("reject")


@pytest.mark.parametrize(
    ("ask", "about", "path"),
    [
        ("stop", "", "/status/stop"),
        ("resume", "", "/status/resume"),
        ("pause", "sms-south", "/status/channels/sms-south/pause"),
        ("resume-channel", "webhook", "/status/channels/webhook/resume"),
        ("sign-out", "", "/status/sign-out"),
    ],
)
def test_a_question_leads_to_its_form(ask: str, about: str, path: str) -> None:
    """Each form has one address."""
    question = question_of(ask, about, read(TROUBLE))

    assert question is not None
    assert question.path == path


@pytest.mark.parametrize(
    ("ask", "about"), [("approve", "quake"), ("approve", ""), ("reject", "gone"), ("pause", "no-such"), ("explode", "")]
)
def test_what_is_not_there_is_not_asked_about(ask: str, about: str) -> None:
    """An alert that is not held any more, a channel that is gone, a question that does not exist."""
    assert question_of(ask, about, read(TROUBLE)) is None


def test_addresses_are_escaped() -> None:
    """An id or a name cannot leave its place in an address."""
    question = question_of("approve", "../stop?x", read({**CALM, "held": [{**HELD, "id": "../stop?x"}]}))

    assert question is not None
    assert question.path == "/status/alerts/..%2Fstop%3Fx/approval"


def test_a_notice_leads_back() -> None:
    """What was not done is said, with the way back in the language chosen."""
    html = notice_page("<b>", say=say_of("ru"), links=Links(lang="ru"))

    assert "&lt;b&gt;" in html
    assert 'href="/status?lang=ru"' in html
    assert "Назад" in html
