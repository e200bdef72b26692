"""The status page in a browser: it signs in, keeps itself up to date, and looks stopped when it is."""

from __future__ import annotations

import re
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.browser import CHROMIUM, Browser
from tests.integration.console_side import Office, served
from tests.unit.console.situations import CALM, TROUBLE, alert
from tests.unit.console.test_page import HOSTILE

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM} to look at the page with")


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    data_dir = tmp_path / "var"
    data_dir.mkdir()
    async with served(data_dir) as made:
        made.situation = TROUBLE
        yield made


def link(office: Office, **query: str) -> str:
    return str(
        office.url.with_path("/status").with_query(once=office.sessions.link(office.operator.key.key_id), **query)
    )


def text_of(dom: str) -> str:
    main = re.search(r'<main id="main">.*</main>', dom, re.DOTALL)
    assert main is not None, dom[:2000]
    return " ".join(re.sub(r"<[^>]+>", " ", main[0]).split())


async def test_a_link_opens_the_page_signed_in(office: Office, browser: Browser) -> None:
    """The link that ``relay serve`` prints shows the situation in a new browser; nothing is blocked on the way."""
    dom = await browser.dom(link(office))

    assert "Ozgon district" in text_of(dom)
    assert "Duty officer 1" in dom
    assert browser.log == []


async def test_the_page_brings_itself_up_to_date(office: Office, browser: Browser) -> None:
    """What happens while the page is open appears on it, without a reload, and ages go on."""
    looks = 0

    async def status() -> Mapping[str, Any]:
        nonlocal looks
        looks += 1
        news = alert("news", priority="P0", event="Dam break", areas="Talas")
        return {**CALM, "alerts": [news, *CALM["alerts"]] if looks > 1 else CALM["alerts"]}

    office.answer = status
    dom = await browser.dom(link(office), seconds=8)

    assert looks >= 2
    assert "Dam break, Talas" in text_of(dom)
    assert re.search(r'<p id="lost"[^>]* hidden', dom)
    assert browser.log == []


async def test_a_page_that_lost_its_link_says_so(office: Office, browser: Browser) -> None:
    """When the relay does not answer, the figures stay, grey, under a banner that says since when."""
    looks = 0

    async def status() -> Mapping[str, Any]:
        nonlocal looks
        looks += 1
        if looks > 1:
            raise RuntimeError("away")
        return TROUBLE

    office.answer = status
    dom = await browser.dom(link(office, lang="ru"), seconds=8)
    banner = re.search(r'<p id="lost"([^>]*)>([^<]*)</p>', dom)

    assert looks >= 2
    assert banner is not None
    assert "hidden" not in banner[1]
    assert re.fullmatch(r"Нет связи с 06:00:0\d\. Данные устарели\.", banner[2])
    assert re.search(r'<body[^>]* class="old"', dom)
    assert "Ozgon district" in text_of(dom)


async def test_a_page_without_news_stays_alive(office: Office, browser: Browser) -> None:
    """An answer "nothing new" is a sign of life too."""
    dom = await browser.dom(link(office), seconds=13)

    assert re.search(r'<p id="lost"[^>]* hidden', dom)
    assert not re.search(r'<body[^>]* class="old"', dom)


async def test_no_text_of_an_alert_runs(office: Office, browser: Browser) -> None:
    """Markup in an alert is text on the page, also when the script puts it there."""
    office.situation = {
        **TROUBLE,
        "held": [alert("x", state="held", event=HOSTILE, areas=HOSTILE)],
        "alerts": [alert("y", headline=HOSTILE, agency=HOSTILE)],
    }
    dom = await browser.dom(link(office), seconds=8)

    assert "<img" not in dom
    assert dom.count("<script") == 1
    assert browser.log == []


async def test_it_fits_an_old_phone(office: Office, browser: Browser) -> None:
    """The page is drawn at 320 × 568; the four answers stand on this first screen (looked at by people, too)."""
    picture = await browser.picture(link(office), width=320, height=568)

    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) == (320, 568)
    assert len(picture) > 10_000
