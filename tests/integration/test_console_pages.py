"""The operators' pages over HTTP: who gets in, what a form may change, and what a page carries with it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.console.sessions import IDLE
from relay.errors import JournalUnavailable, StoreUnavailable
from tests.integration.console_side import TRIES, Office, served
from tests.unit.console.situations import CALM, TROUBLE, channel

FORMS = {
    "/status/alerts/mudflow/approval": {"decision": "approve"},
    "/status/stop": {},
    "/status/resume": {},
    "/status/channels/mail/pause": {},
    "/status/channels/mail/resume": {},
    "/status/sign-out": {},
}


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


async def test_over_tls_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    """With TLS the cookie never leaves in the clear, and no sibling host can set it."""
    async with served(tmp_path, tls=True) as office:
        response = await office.sign_in()

    assert response.headers["Set-Cookie"].startswith("__Host-chapar=")
    assert "; Secure" in response.headers["Set-Cookie"]


async def test_a_session_also_opens_the_json_of_the_api(office: Office) -> None:
    """What a browser that is signed in may see, it may also see as JSON; without it, it may not."""
    before = await office.get("/status", Accept="application/json")
    await office.sign_in()
    after = await office.get("/v1/keys", Accept="application/json")

    assert before.status == 401
    assert before.content_type == "application/problem+json"
    assert after.status == 403  # known, and no admin


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


async def test_signing_in_again_gives_another_session(office: Office) -> None:
    """A session that existed before signing in is not taken over."""
    await office.sign_in()
    old = {cookie.key: cookie.value for cookie in office.http.cookie_jar}
    await office.sign_in()
    office.http.cookie_jar.clear()
    response = await office.get("/status", Cookie=f"chapar={old['chapar']}")

    assert response.status == 401


async def test_a_revoked_key_ends_its_session(office: Office) -> None:
    """The next request of a browser whose key was revoked is refused."""
    await office.sign_in()
    office.register.revoke(office.operator.key.key_id)
    response = await office.get("/status")

    assert response.status == 401
    assert len(office.sessions) == 0


async def test_an_unused_session_is_over(office: Office) -> None:
    """After half an hour without a request the key is asked for again, and the page says why."""
    await office.sign_in()
    office.clock.advance(IDLE)
    response = await office.get("/status")

    assert response.status == 401
    assert "not signed in any more" in await response.text()


async def test_signing_out_ends_the_session_here(office: Office) -> None:
    """A copied cookie is worth nothing after signing out."""
    await office.sign_in()
    kept = {cookie.key: cookie.value for cookie in office.http.cookie_jar}
    response = await office.post("/status/sign-out", {"csrf": await office.token("sign-out")})
    again = await office.get("/status", Cookie=f"chapar={kept['chapar']}")

    assert response.status == 303
    assert 'chapar=""' in response.headers["Set-Cookie"]
    assert again.status == 401


async def test_a_held_alert_is_decided_with_a_reason(office: Office) -> None:
    """Approve and reject reach the decision with who, which and why; then the page is shown again."""
    await office.sign_in()
    path = "/status/alerts/mudflow/approval"
    token = await office.token("approve", "mudflow")
    approved = await office.post(path, {"csrf": token, "decision": "approve", "reason": " called \n Hydromet "})
    rejected = await office.post(path, {"csrf": token, "decision": "reject"})

    assert (approved.status, approved.headers["Location"]) == (303, "/status")
    assert rejected.status == 303
    assert office.operators.done == [
        ("approve", "mudflow", "called Hydromet", "Duty officer 1"),
        ("reject", "mudflow", "", "Duty officer 1"),
    ]


async def test_an_approver_decides_and_switches_nothing(office: Office) -> None:
    """The second person signs, and has no switches: neither on the page nor by a form of his own."""
    await office.sign_in(office.approver.credential)
    page = await (await office.get("/status")).text()
    token = await office.token("approve", "mudflow")
    asked = await office.get("/status?ask=stop")
    stopped = await office.post("/status/stop", {"csrf": token})
    approved = await office.post("/status/alerts/mudflow/approval", {"csrf": token, "decision": "approve"})

    assert "ask=approve" in page
    assert "ask=stop" not in page
    assert "ask=pause" not in page
    assert asked.status == 403
    assert stopped.status == 403
    assert approved.status == 303
    assert office.operators.done == [("approve", "mudflow", "", "Approver")]


async def test_switches_act(office: Office) -> None:
    """Stop, resume, pause and resume of a channel reach the controls."""
    await office.sign_in()
    form = {"csrf": await office.token(), "reason": "wrong area"}
    for path in ("stop", "resume", "channels/mail/pause", "channels/mail/resume"):
        response = await office.post(f"/status/{path}", form)
        assert response.status == 303

    assert [done[:-2] for done in office.operators.done] == [
        ("stop",),
        ("resume",),
        ("pause", "mail"),
        ("resume-channel", "mail"),
    ]
    assert {done[-2:] for done in office.operators.done} == {("wrong area", "Duty officer 1")}


async def test_a_channel_that_does_not_exist_is_not_paused(office: Office) -> None:
    """A switch nobody can find again is not set."""
    await office.sign_in()
    response = await office.post("/status/channels/no-such/pause", {"csrf": await office.token()})

    assert response.status == 404
    assert office.operators.done == []


@pytest.mark.parametrize("path", FORMS)
async def test_nothing_changes_without_a_session(office: Office, path: str) -> None:
    """A form needs a session; a key in a header is for the API."""
    plain = await office.post(path, FORMS[path])
    keyed = await office.post(path, FORMS[path], Authorization=f"Bearer {office.operator.credential}")

    assert (plain.status, keyed.status) == (401, 401)
    assert office.operators.done == []


@pytest.mark.parametrize("path", FORMS)
async def test_nothing_changes_by_a_form_of_another_page(office: Office, path: str) -> None:
    """No token, another session's token, another site: each is refused, and the session goes on."""
    await office.sign_in()
    token = await office.token()
    other = office.sessions.find(office.sessions.begin(office.operator.key.key_id))
    assert other is not None
    tries = [
        await office.post(path, FORMS[path]),
        await office.post(path, {**FORMS[path], "csrf": other.csrf}),
        await office.post(path, {**FORMS[path], "csrf": token}, **{"Sec-Fetch-Site": "cross-site"}),
        await office.post(path, {**FORMS[path], "csrf": token}, **{"Sec-Fetch-Site": "same-site"}),
        await office.post(
            path, {**FORMS[path], "csrf": token}, **{"Sec-Fetch-Site": "", "Origin": "https://evil.example"}
        ),
        await office.post(path, {**FORMS[path], "csrf": token}, **{"Sec-Fetch-Site": "", "Origin": "null"}),
        await office.post(path, {**FORMS[path], "csrf": token}, **{"Sec-Fetch-Site": ""}),
    ]
    page = await office.get("/status")

    assert [response.status for response in tries] == [403] * len(tries)
    assert office.operators.done == []
    assert page.status == 200


async def test_signing_in_is_not_done_by_another_site(office: Office) -> None:
    """Nobody is signed in with somebody else's key without knowing."""
    response = await office.post(
        "/status/sign-in", {"key": office.operator.credential}, **{"Sec-Fetch-Site": "cross-site"}
    )

    assert response.status == 403
    assert "Set-Cookie" not in response.headers


async def test_a_get_changes_nothing(office: Office) -> None:
    """Following an address, ours or somebody's, never decides."""
    await office.sign_in()
    token = await office.token()
    answers = [await office.get(f"{path}?csrf={token}&decision=approve") for path in FORMS]

    assert {response.status for response in answers} == {405}
    assert office.operators.done == []


async def test_a_question_about_what_is_over_is_not_asked(office: Office) -> None:
    """An alert that was decided meanwhile, or a channel that is gone, is said to be so."""
    await office.sign_in()
    decided = await office.get("/status?ask=approve&about=decided")
    token = await office.token()
    posted = await office.post("/status/alerts/decided/approval", {"csrf": token, "decision": "approve"})
    odd = await office.post("/status/alerts/mudflow/approval", {"csrf": token, "decision": "maybe"})

    assert decided.status == 404
    assert posted.status == 409
    assert odd.status == 400
    assert (await office.get("/status?ask=explode")).status == 403


@pytest.mark.parametrize(
    ("failure", "path", "said"),
    [
        (JournalUnavailable(), "/status/stop", "Stopped on this machine"),
        (JournalUnavailable(), "/status/channels/mail/pause", "NOT recorded"),
        (StoreUnavailable(), "/status/alerts/mudflow/approval", "Nothing was changed"),
    ],
)
async def test_what_was_not_done_is_said(office: Office, failure: Exception, path: str, said: str) -> None:
    """A decision that could not be kept is never shown as made."""
    await office.sign_in()
    form = {**FORMS[path], "csrf": await office.token()}
    office.operators.failure = failure
    response = await office.post(path, form)

    assert response.status == 503
    assert said in await response.text()


async def test_a_form_is_bounded(office: Office) -> None:
    """A form of many kilobytes, or one that is no form, changes nothing."""
    await office.sign_in()
    token = await office.token()
    large = await office.post("/status/stop", {"csrf": token, "reason": "x" * 10_000})
    other = await office.http.post(
        office.url.join(office.url.with_path("/status/stop")),
        json={"csrf": token},
        headers={"Sec-Fetch-Site": "same-origin"},
    )

    assert (large.status, other.status) == (413, 413)
    assert office.operators.done == []


@pytest.mark.parametrize("path", ["/status", "/status?ask=stop", "/status?ask=approve&about=mudflow", "/status?ask=no"])
async def test_pages_carry_their_protection(office: Office, path: str) -> None:
    """Nothing foreign runs or frames a page, nothing is kept of it, and its type is not guessed."""
    await office.sign_in()
    headers = (await office.get(path)).headers

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "form-action 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Server" not in headers


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
    office.situation = {**office.situation, "held": []}
    news = await office.get("/status", **{"If-None-Match": tag})

    assert same.status == 304
    assert same.headers["X-Time"] > first.headers["X-Time"]
    assert news.status == 200
    assert news.headers["ETag"] != tag


async def test_the_language_is_the_reader_s(office: Office) -> None:
    """The browser's language, or the one chosen by hand, which then stays."""
    await office.sign_in()
    russian = await (await office.get("/status", **{"Accept-Language": "ru-KG,ru;q=0.9,en;q=0.5"})).text()
    chosen = await (await office.get("/status?lang=ru")).text()
    kept = await office.post("/status/stop?lang=ru", {"csrf": await office.token()})

    assert "ЖДЁТ РЕШЕНИЯ" in russian
    assert "ЖДЁТ РЕШЕНИЯ" in chosen
    assert 'href="/status?lang=ru&amp;ask=stop"' in chosen
    assert kept.headers["Location"] == "/status?lang=ru"


async def test_refreshing_without_a_script_can_be_chosen(office: Office) -> None:
    """``?refresh=15`` is a page that needs no script; nonsense is left out."""
    await office.sign_in()
    plain = await (await office.get("/status")).text()
    slow = await (await office.get("/status?refresh=15")).text()
    odd = await (await office.get("/status?refresh=0")).text()

    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in plain
    assert '<meta http-equiv="refresh" content="15">' in slow
    assert "<script" not in slow
    assert odd == plain


async def test_a_key_in_a_header_sees_the_page_without_buttons(office: Office) -> None:
    """A program may look at the page; forms belong to sessions."""
    response = await office.get("/status", Authorization=f"Bearer {office.operator.credential}")
    page = await response.text()

    assert response.status == 200
    assert "Ozgon district" in page
    assert "ask=" not in page
