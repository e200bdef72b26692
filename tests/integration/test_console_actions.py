"""Forms of the operators' pages: what they may change, and who may send them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.errors import JournalUnavailable, StoreUnavailable
from tests.integration.console_side import Office, served
from tests.unit.console.situations import TROUBLE

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
