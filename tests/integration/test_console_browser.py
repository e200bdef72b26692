"""What a browser carries and is given: its session, its language, the protection of a page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.console.sessions import IDLE
from tests.integration.console_side import Office, served
from tests.unit.console.situations import TROUBLE


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with served(tmp_path) as made:
        made.situation = TROUBLE
        yield made


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
