"""The operators' pages over HTTP: who gets in, and what is shown."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.console_side import TRIES, Office, served
from tests.unit.console.situations import CALM, TROUBLE, channel


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with served(tmp_path) as made:
        made.situation = TROUBLE
        yield made


async def test_without_a_session_there_is_a_form_and_nothing_else(office: Office) -> None:
    """A stranger learns nothing of the situation."""
    response = await office.get("/status")
    page = await response.text()

    assert response.status == 401
    assert 'action="/status/sign-in"' in page
    assert "Ozgon" not in page
    assert "Set-Cookie" not in response.headers


async def test_a_key_signs_in(office: Office) -> None:
    """The right key leads to the page; the cookie is out of reach of scripts and of other sites."""
    response = await office.sign_in()
    page = await office.get("/status")
    cookie = response.headers["Set-Cookie"]

    assert (response.status, response.headers["Location"]) == (303, "/status")
    assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    assert page.status == 200
    assert "Ozgon district" in await page.text()


@pytest.mark.parametrize("given", ["", "chapar_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ключ", "x" * 5000])
async def test_a_wrong_key_is_refused(office: Office, given: str) -> None:
    """Whatever is typed, only a key opens; it is never shown again."""
    response = await office.post("/status/sign-in", {"key": given})
    page = await response.text()

    assert response.status == 401
    assert not given or given not in page
    assert "not known" in page


async def test_an_agency_s_key_does_not_see_the_status(office: Office) -> None:
    """The page is for operators and approvers."""
    response = await office.sign_in(office.agency.credential)

    assert response.status == 403
    assert "Set-Cookie" not in response.headers


async def test_guessing_is_slowed_down(office: Office) -> None:
    """After some tries from one address the form waits, and later it works again."""
    for _ in range(TRIES):
        await office.post("/status/sign-in", {"key": "guess"})
    slowed = await office.sign_in()
    office.clock.advance(60)
    later = await office.sign_in()

    assert slowed.status == 429
    assert int(slowed.headers["Retry-After"]) <= 60 / TRIES + 1
    assert later.status == 303


async def test_a_one_time_link_signs_in_once(office: Office) -> None:
    """``relay serve`` prints a link that works for the first who follows it; the token leaves the address."""
    link = f"/status?once={office.sessions.link(office.operator.key.key_id)}"
    first = await office.get(link)
    office.http.cookie_jar.clear()
    second = await office.get(link)

    assert (first.status, first.headers["Location"]) == (303, "/status")
    assert "chapar=" in first.headers["Set-Cookie"]
    assert second.status == 401
    assert "used already" in await second.text()


async def test_who_stopped_everything_is_named(office: Office) -> None:
    """People have names; a key's id is for machines."""
    key_id = office.approver.key.key_id
    office.situation = {**TROUBLE, "stopped": {"by": key_id, "reason": "wrong area", "at": None}}
    await office.sign_in()
    page = await (await office.get("/status")).text()

    assert "Approver · wrong area" in page
    assert key_id not in page


async def test_looking_at_a_link_does_not_use_it(office: Office) -> None:
    """A program that checks links with HEAD leaves it good."""
    link = f"/status?once={office.sessions.link(office.operator.key.key_id)}"
    await office.http.head(office.url.join(office.url.with_path("/status").with_query(link.partition("?")[2])))
    response = await office.get(link)

    assert response.status == 303


async def test_a_link_of_a_revoked_key_opens_nothing(office: Office) -> None:
    """Taking back a key takes back what was printed for it."""
    token = office.sessions.link(office.operator.key.key_id)
    office.register.revoke(office.operator.key.key_id)
    response = await office.get(f"/status?once={token}")

    assert response.status == 401


async def test_signing_in_is_not_done_by_another_site(office: Office) -> None:
    """Nobody is signed in with somebody else's key without knowing."""
    response = await office.post(
        "/status/sign-in", {"key": office.operator.credential}, **{"Sec-Fetch-Site": "cross-site"}
    )

    assert response.status == 403
    assert "Set-Cookie" not in response.headers


async def test_the_page_loads_nothing_from_elsewhere(office: Office) -> None:
    """Style and script come from the relay, may be kept by the browser, and are all there is."""
    await office.sign_in()
    page = await (await office.get("/status")).text()
    linked = re.findall(r'(?:src|href)="(/console/[^"]+)"', page)
    answers = [await office.get(path.replace("&amp;", "&")) for path in linked]

    assert len(linked) == 2
    assert [response.status for response in answers] == [200, 200]
    assert {response.content_type for response in answers} == {"text/css", "text/javascript"}
    assert all("immutable" in response.headers["Cache-Control"] for response in answers)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page)
    assert (await office.get("/console/static/../pages.py")).status == 404
    assert (await office.get("/console/static/status.css")).headers["Cache-Control"] == "no-cache"


async def test_a_page_without_news_costs_no_page(office: Office) -> None:
    """Ages that only grow are not sent again; anything that happens is."""
    office.situation = {**TROUBLE, "channels": [channel("mail", "email")], "workers": CALM["workers"], "classes": {}}
    await office.sign_in()
    first = await office.get("/status")
    tag = first.headers["ETag"]
    office.clock.advance(5)
    same = await office.get("/status", **{"If-None-Match": tag})
    office.situation = {**office.situation, "held": [], "alerts": []}
    news = await office.get("/status", **{"If-None-Match": tag})

    assert same.status == 304
    assert same.headers["X-Time"] > first.headers["X-Time"]
    assert news.status == 200
    assert news.headers["ETag"] != tag


async def test_a_key_in_a_header_sees_the_page_without_buttons(office: Office) -> None:
    """A program may look at the page; forms belong to sessions."""
    response = await office.get("/status", Authorization=f"Bearer {office.operator.credential}")
    page = await response.text()

    assert response.status == 200
    assert "Ozgon district" in page
    assert "ask=" not in page
