"""The operators' first page, as a duty officer reads it at three in the morning."""

import re
from collections.abc import Mapping
from datetime import UTC, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest

from relay.console.page import LIMIT, Links, Viewer, bar, status_page, tag_of
from relay.console.questions import NEEDS
from relay.console.situation import read
from relay.console.templating import static
from relay.testing.clocks import START
from tests.unit.console.situations import CALM, CLASSES, DOWN, TROUBLE, alert, channel, refused

EVERYTHING = Viewer(name="Duty officer 1", may=frozenset(NEEDS))
HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>\u202e"


def page(status: Mapping[str, Any], language: str = "en", **options: Any) -> str:
    given = {"now": START, "refresh": None, "viewer": EVERYTHING, **options}
    return status_page(status, language=language, **given)


class Text(HTMLParser):
    """Collects what a reader sees, and every tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.seen.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def read_out(html: str) -> str:
    return " ".join(" ".join(Text(html).seen).split())


def tiles(html: str) -> str:
    found = re.search(r'<nav class="tiles">(.*?)</nav>', html, re.DOTALL)
    assert found is not None
    return read_out(found[1])


def test_the_four_questions_come_first() -> None:
    """Is anything waiting, who is not told, what is broken, is the page alive: before anything else."""
    shown = tiles(page(TROUBLE))

    assert "Waiting for you 3 for 1 min 40 s" in shown
    # 128,970 on the way, 26,012 not reached, 3,888 unknown; a drill's nine do not count.
    assert "Not told 158,870 on the way 128,970 · not reached 26,012 · unknown 3,888" in shown
    assert "Failing 1 sms-south" in shown
    assert "This page live" in shown
    assert "figures 0 s old" in shown


def test_a_quiet_night_reads_so() -> None:
    """Nothing is red, and the calm is said and not only coloured."""
    html = page(CALM)
    shown = read_out(html)

    assert "Nothing waits for you." in shown
    assert "Waiting for you 0 nothing" in shown
    assert "all 4 channels work" in shown
    assert 'class="alarm' not in html
    assert 'class="tile red"' not in html
    assert "Nothing was refused." in shown


def test_what_nobody_knows_is_not_called_calm() -> None:
    """While Redis is away nobody knows of alerts and queues: no zero, no "nothing"."""
    html = page(DOWN)
    shown = read_out(html)

    assert "Waiting for you 1 and maybe more" in shown
    assert "Waiting for you ? not known" in tiles(page({**DOWN, "stopped": None}))
    assert "Not told ? not known" in shown
    assert "Nothing waits for you." not in shown
    assert "No alerts." not in shown
    assert "Redis does not answer" in shown
    assert "SENDING IS STOPPED" in shown
    assert "Accepted, not sent out yet: 3" in shown
    assert re.search(r"flash</td><td>\?</td><td>\?</td>", html)


def test_russian_is_whole() -> None:
    """A Russian page has no English sentence left in it."""
    shown = read_out(page(TROUBLE, "ru"))

    assert "ЖДЁТ РЕШЕНИЯ" in shown
    assert "Не оповещены 158 870" in shown
    assert "подтвердили 41 210" in shown
    for english in ("Waiting", "people", "not told", "Queue", "Workers", "oldest", "ago", " old"):
        assert english not in shown


def test_every_alert_says_class_age_state_and_five_words() -> None:
    """Who acknowledged, received, is on the way, was not reached, is unknown; and a drill is named before its text."""
    shown = read_out(page(TROUBLE))

    assert "P0 Strong earthquake near Almaty, Almaty; Talgar" in shown
    assert "05:58:25 · 1 min 35 s · being sent · 412,480 people · Seismology" in shown
    assert "acknowledged 41,210 received 212,400 on the way 128,970 not reached 26,012 unknown 3,888" in shown
    assert "PX EXERCISE Earthquake" in shown


def test_every_figure_has_its_age() -> None:
    """Channels, queues, refusals and workers say how old what they say is."""
    shown = read_out(page(TROUBLE))

    assert "sms-south sms FAILING 0/s" in shown
    assert "bind refused · 12 s" in shown
    assert "P0 flash 128,970 1 min 34 s" in shown
    assert "Kyrgyz Hydromet 4 × CAP-031 would have been P0 44 s" in shown
    assert "Refused in the last hour: 5" in shown
    assert "w1-9f3a heard < 5 s ago · in hand: 4,000" in shown
    assert "w2-77b0 48 s" in shown
    assert "Journal fsync 0.4 ms · 99 %: 2.2 ms · no error" in shown


def test_times_are_of_the_room() -> None:
    """The zone is the room's, its offset is said, UTC stands beside it."""
    shown = read_out(page(CALM, zone=timezone(timedelta(hours=6))))

    assert "NOW 12:00:00 UTC+06:00 · 06:00:00 UTC" in shown
    assert "NOW 06:00:00 UTC Stop" in read_out(page(CALM, zone=UTC))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_old_figures_look_old(language: str) -> None:
    """Figures older than ten seconds are grey under a banner that says since when; also without a script."""
    fresh = page({**CALM, "time": (START - timedelta(seconds=9)).isoformat()}, language)
    old = page({**CALM, "time": (START - timedelta(seconds=200)).isoformat()}, language)
    never = page({**CALM, "time": None}, language)

    assert '<body class="old"' not in fresh
    assert re.search(r'<p id="lost"[^>]* hidden></p>', fresh)
    assert '<body class="old"' in old
    assert re.search(r'<p id="lost"[^>]*(?<! hidden)>[^<]*05:56:40[^<]*3', old)
    assert '<body class="old"' in never


def test_it_refreshes_without_a_script() -> None:
    """A browser without scripts loads it again by itself; with ``refresh`` every browser does."""
    usual, plain = page(CALM), page(CALM, refresh=15)

    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in usual
    assert usual.count("<script") == 1
    assert '<meta http-equiv="refresh" content="15">' in plain
    assert "<script" not in plain


def test_red_has_an_action_beside_it() -> None:
    """Every red alarm says what to do; what can be done here has its button."""
    html = page(TROUBLE)
    for alarm in re.findall(r'<article class="alarm red">(.*?)</article>', html, re.DOTALL):
        assert '<p class="d">' in alarm

    assert 'href="/status?ask=approve&amp;about=mudflow"' in html
    assert 'href="/status?ask=reject&amp;about=mudflow"' in html
    assert 'href="/v1/alerts/mudflow"' in html
    assert 'href="/status?ask=pause&amp;about=sms-south"' in html
    assert 'href="/status?ask=resume-channel&amp;about=webhook"' in html
    assert 'href="/status?ask=stop"' in html
    assert 'href="/status?ask=resume"' in page(DOWN)


def test_who_only_looks_has_no_buttons() -> None:
    """Without a session there is nothing to press."""
    assert "ask=" not in page(TROUBLE, viewer=None)


def test_the_page_changes_nothing_by_itself() -> None:
    """No form and no secret is on a page that refreshes: what is pressed in a hurry only asks."""
    tags = {tag for tag, _ in Text(page(TROUBLE)).tags}

    assert not tags & {"form", "input", "button", "iframe", "object", "style"}


def test_nothing_an_agency_writes_becomes_markup() -> None:
    """Texts of alerts, agencies, channels, errors and keys are shown as they are."""
    status = {
        **TROUBLE,
        "alerts": [alert("a", headline=HOSTILE, areas=HOSTILE, agency=HOSTILE, state=HOSTILE, status=HOSTILE)],
        "held": [alert("b", state="held", event=HOSTILE, reason=HOSTILE, priority=HOSTILE)],
        "channels": [channel(HOSTILE, HOSTILE, state="failing", error=HOSTILE, error_age_s=3)],
        "refused": [refused(HOSTILE, 3, HOSTILE, priority="P0")],
        "workers": [{"id": HOSTILE, "age_s": 1}],
        "journal": {"error": HOSTILE, "damaged": [HOSTILE]},
        "redis": {"available": False, "error": HOSTILE},
        "alarms": [{"code": "new", "message": HOSTILE}],
        "stopped": {"by": HOSTILE, "reason": HOSTILE},
    }
    tags = Text(page(status, viewer=Viewer(name=HOSTILE, may=frozenset(NEEDS)))).tags

    assert sum(tag == "script" for tag, _ in tags) == 1
    assert not any(tag == "img" for tag, _ in tags)
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
    assert not any("style" in attributes for _, attributes in tags)


def many() -> dict[str, Any]:
    text = "«&<>" * 200
    return {
        **CALM,
        "alerts": [
            alert(f"{n:026}", priority=CLASSES[n % 6], headline=text, areas=text, agency=text, recipients=10**9)
            | {"words": {"acknowledged": 10**8, "received": 10**8, "on the way": 10**8, "not reached": 10**8}}
            for n in range(500)
        ],
        "held": [alert(f"h{n:025}", state="held", headline=text, areas=text, agency=text) for n in range(200)],
        "channels": [channel(f"channel-{n}", "sms", state="failing", error=text, error_age_s=n) for n in range(60)],
        "refused": [refused(f"{text} {n}", n, text, text, text, priority="P0") for n in range(100)],
        "workers": [{"id": f"w{n}", "age_s": 99.0} for n in range(64)],
        "journal": {"error": text, "damaged": [text] * 50},
    }


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("status", [CALM, TROUBLE, DOWN, many()], ids=["calm", "trouble", "down", "everything at once"])
def test_the_first_load_is_small(status: Mapping[str, Any], language: str) -> None:
    """Page, style and script together stay under 30 KB, on the worst night too."""
    html = page(status, language)

    assert len(html.encode()) + len(static("status.css")) + len(static("status.js")) <= LIMIT


def test_what_does_not_fit_is_counted() -> None:
    """Rows that are left out are said to be; the first of each list stay."""
    shown = read_out(page(many()))

    assert re.search(r"and more: 4\d\d", shown)
    assert "Waiting for you 201" in shown
    assert "channel-0" in shown


def test_passing_time_is_no_news() -> None:
    """Two pages that differ in ages only share their tag; a new figure changes it."""
    later = START + timedelta(seconds=30)
    quiet = {**CALM, "channels": []}
    first = page({**quiet, "time": START.isoformat()})
    second = page({**quiet, "time": later.isoformat()}, now=later)
    other = page({**quiet, "time": later.isoformat(), "refused": [refused("A", 1, priority=None)]}, now=later)

    assert first != second
    assert tag_of(first) == tag_of(second)
    assert tag_of(other) != tag_of(second)


def test_links_keep_what_was_chosen() -> None:
    """A language or an interval chosen by hand stays on the way."""
    links = Links(lang="ru", refresh="15")

    assert links.to(ask="stop") == "/status?lang=ru&refresh=15&ask=stop"
    assert links.other("ru") == "/status?lang=en&refresh=15"
    assert Links().to() == "/status"
    assert links.alert("a/../b") == "/v1/alerts/a%2F..%2Fb"


def test_no_part_of_a_bar_is_too_small_to_see() -> None:
    """One person who was not reached is seen beside a million who were."""
    row = read({"alerts": [alert("a", words={"received": 1_000_000, "not reached": 1})]}).alerts[0]
    parts = bar(row)

    assert [name for name, _, _ in parts] == ["received", "not-reached"]
    assert parts[1][2] >= 1.4
    assert sum(width for _, _, width in parts) == pytest.approx(100, abs=0.2)
    assert bar(read({"alerts": [alert("b")]}).alerts[0]) == []
