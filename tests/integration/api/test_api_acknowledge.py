"""The page behind a link: it shows the alert, takes an answer, and tells strangers nothing."""

from __future__ import annotations

import pytest

from relay.fanout.ids import DeliveryRef
from relay.tracking import token
from tests.integration.api.house import ALMATY, House, alert_xml, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORM = "application/x-www-form-urlencoded"


async def link(house: House, identifier: str) -> tuple[str, str, bytes]:
    """Return a token, the path of the alert it belongs to, and the alert's bytes."""
    person = {"addresses": [{"kind": "sms", "value": "+77010000001"}], "location": ALMATY}
    await house.ask("PUT", "/v1/recipients/reader", body=person)
    body = alert_xml(identifier)
    path = f"/v1/alerts/{(await house.post(body)).json['id']}"

    async def sent() -> bool:
        return bool((await house.ask("GET", path)).json["counts"].get("accepted"))

    await eventually(sent, seconds=20)
    row = (await house.ask("GET", f"{path}/deliveries")).json["deliveries"][0]
    ref = DeliveryRef.parse(row["id"])
    assert ref is not None
    return token.make(ref, house.services.secret), path, body


async def test_looking_changes_nothing(working: House) -> None:
    """A GET shows the whole alert under 10 KB and acknowledges nothing, however often (BI-230)."""
    made, path, _ = await link(working, "ack-1")
    pages = [await working.ask("GET", f"/a/{made}", who="") for _ in range(3)]
    head = await working.ask("HEAD", f"/a/{made}", who="")
    counts = (await working.ask("GET", path)).json["counts"]

    assert {page.status for page in pages} == {200}
    assert head.status == 200
    assert "Flood in Almaty" in pages[0].body.decode()
    assert len(pages[0].body) <= 10_000
    assert pages[0].headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src" not in pages[0].headers["Content-Security-Policy"]
    assert "default-src 'none'" in pages[0].headers["Content-Security-Policy"]
    assert counts == {"accepted": 1}


async def test_answering(working: House) -> None:
    """A form answers with the page, JSON with JSON; the last answer counts, and the page shows it."""
    made, path, _ = await link(working, "ack-2")
    as_form = await working.ask("POST", f"/a/{made}", who="", body=b"answer=1", Content_Type=FORM)
    as_json = await working.ask("POST", f"/a/{made}", who="", body={"answer": "2"})
    bare = await working.ask("POST", f"/a/{made}", who="")
    page = await working.ask("GET", f"/a/{made}", who="")
    counts = (await working.ask("GET", path)).json["counts"]

    assert (as_form.status, as_form.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert as_json.json["answer"] == "2"
    assert bare.json["answer"] == "1"
    assert counts == {"acknowledged": 1}
    assert page.body != b""


async def test_pages_that_are_kept_are_told_apart(working: House) -> None:
    """A page is written once for all who answer alike; who has not answered, or said something else, sees his own."""
    made, _, _ = await link(working, "ack-12")
    before = await working.ask("GET", f"/a/{made}", who="")
    answers = (b"answer=1", b"answer=2", b"answer=2")
    one, two, again = [
        await working.ask("POST", f"/a/{made}", who="", body=answer, Content_Type=FORM) for answer in answers
    ]

    assert len({before.body, one.body, two.body}) == 3
    assert b"You answered" in again.body


@pytest.mark.parametrize("answer", [b"answer=0", b"answer=10", b"answer=yes", b"answer=%3Cscript%3E"])
async def test_an_answer_is_one_digit(working: House, answer: bytes) -> None:
    """Anything but a digit from 1 to 9 is refused (BI-231)."""
    made, _, _ = await link(working, "ack-3")
    got = await working.ask("POST", f"/a/{made}", who="", body=answer, Content_Type=FORM)

    assert (got.status, got.slug) == (400, "bad-parameter")


async def test_the_original_bytes(working: House) -> None:
    """The link to the CAP message gives what the agency posted."""
    made, _, body = await link(working, "ack-4")
    got = await working.ask("GET", f"/a/{made}/cap", who="")

    assert got.body == body
    assert got.headers["Content-Type"] == "application/cap+xml"


async def test_every_wrong_link_is_the_same(working: House) -> None:
    """Guessed, changed and foreign tokens get one and the same page, with 404, whatever is sent (BI-229)."""
    made, _, _ = await link(working, "ack-5")
    wrong = [
        made[:-1] + ("a" if made[-1] != "a" else "b"),
        "x",
        "a" * 27,
        made.upper(),
        token.make(DeliveryRef("a" * 13, 0), b"other"),
    ]
    pages = [await working.ask("GET", f"/a/{name}", who="") for name in wrong]
    posts = [
        await working.ask("POST", f"/a/{name}", who="", body=b"x" * 1_000_000, Content_Type=FORM) for name in wrong
    ]

    assert {page.status for page in [*pages, *posts]} == {404}
    assert len({page.body for page in [*pages, *posts]}) == 1


async def test_a_large_answer_is_refused(working: House) -> None:
    """A megabyte behind a good token is not read."""
    made, _, _ = await link(working, "ack-6")
    got = await working.ask("POST", f"/a/{made}", who="", body=b"x" * 1_000_000, Content_Type=FORM)

    assert (got.status, got.slug) == (413, "body-too-large")


async def test_a_cancelled_alert_says_so(working: House) -> None:
    """The page of an alert that was cancelled is another one than before, and a late answer is marked."""
    made, path, _ = await link(working, "ack-7")
    before = (await working.ask("GET", f"/a/{made}", who="")).body
    await working.ask("POST", f"{path}/cancel", who="meteo")

    async def cancelled() -> bool:
        return (await working.ask("GET", f"/a/{made}", who="")).body != before

    await eventually(cancelled)
    await working.ask("POST", f"/a/{made}", who="", body=b"answer=1", Content_Type=FORM)
    row = (await working.ask("GET", f"{path}/deliveries")).json["deliveries"][0]

    assert (row["state"], row["late"]) == ("acknowledged", True)
