"""Mail, SMS and answers from outside: a mail server and an SMS centre with faults, links and replies that acknowledge."""

from __future__ import annotations

import contextlib
import email
import email.policy
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from relay.testing.smsc import RINVDSTADR, RTHROTTLED, Smsc
from tests.acceptance.black_box import Answer, Stage, stage
from tests.acceptance.black_box_alerts import Document, alert, info, instant, mail, person, sms
from tests.acceptance.black_box_receivers import Mailbox, mailbox
from tests.acceptance.relay_side import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, slots=True)
class Scene:
    """The stage with a mail server and an SMS centre."""

    stage: Stage
    box: Mailbox
    centre: Smsc


def _there(lat: float) -> dict[str, Any]:
    return {"location": {"lat": lat, "lon": 60.0}}


def _area(lat: float) -> list[Document]:
    return [{"areaDesc": "Село", "circle": [f"{lat},60 5"]}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """A relay with a channel of each kind; who lives where decides which test tells him."""
    async with contextlib.AsyncExitStack() as held:
        box, centre = held.enter_context(mailbox()), await held.enter_async_context(Smsc())
        post = {"host": "127.0.0.1", "port": box.port, "tls": "none", "sender": "warnings@meteo.example"}
        short = {**centre.settings, "source_addr": "112", "two_way": True}
        channels = {
            "mail": {"adapter": "smtp", "settings": post, "receipt_deadline": 1.0},
            "sms": {"adapter": "smpp", "settings": short, "receipt_deadline": 2.0},
            "webhook": {"adapter": "webhook"},
        }
        made = await held.enter_async_context(stage(tmp_path_factory.mktemp("messages"), channels=channels))
        hooks = made.hooks
        mails = [person(f"m-{name}", mail(name), **_there(1)) for name in ("well", "later", "nobody", "never")]
        phones = [
            person(f"s-{n}", sms(n), languages=[tongue], **_there(2)) for n, tongue in enumerate(("ru", "kk", "en"))
        ]
        faulty = [person(f"f-{n}", sms(n), **_there(3)) for n in (11, 12, 13)]
        readers = [person(f"r-{n}", hooks.to(f"r-{n}"), languages=["ru"], **_there(4)) for n in range(6)]
        firsts = [person("first", sms(21), mail("first"), policy="first", **_there(5))]
        alls = [person("all", sms(22), mail("all"), **_there(5))]
        await made.client.told(*mails, *phones, *faulty, *readers, *firsts, *alls)
        yield Scene(made, box, centre)


async def _post(scene: Scene, identifier: str, *infos: Document) -> str:
    answer = await scene.stage.client.post(alert(identifier, *infos))
    assert answer.status == 202, answer.body
    return str(answer.body["id"])


async def _ends(scene: Scene, alert_id: str) -> dict[str, tuple[str, str | None]]:
    await scene.stage.client.end(alert_id)
    rows = await scene.stage.client.deliveries(alert_id)
    return {row["recipient"]: (row["state"], row["reason"]) for row in rows}


async def test_mail(scene: Scene) -> None:
    """4xx is tried again, 5xx is not, each for its recipient only; a mail has text, HTML and an id of its own."""
    scene.box.plan = {
        "later@village.example": ["451 later", "250 OK"],
        "nobody@village.example": ["550 no such user"],
        "never@village.example": ["452 full"],
    }
    ends = await _ends(scene, await _post(scene, "mail", info(area=_area(1), expires=instant(5), headline="Сель")))
    found = email.message_from_bytes(scene.box.mails["well@village.example"][0], policy=email.policy.default)
    text, html = found.get_body(("plain",)), found.get_body(("html",))
    assert text is not None
    assert html is not None

    assert ends == {
        "m-well": ("delivered_unconfirmed", "no_receipt"),
        "m-later": ("delivered_unconfirmed", "no_receipt"),
        "m-nobody": ("failed", "smtp_550"),
        "m-never": ("expired", "smtp_452"),
    }
    assert {name: len(kept) for name, kept in scene.box.mails.items()} == {
        "well@village.example": 1,
        "later@village.example": 1,
    }
    assert (scene.box.tried["nobody@village.example"], scene.box.tried["later@village.example"]) == (1, 2)
    assert "Сель" in str(found["Subject"])
    assert all("Move to higher ground." in part.get_content() for part in (text, html))
    assert found["Message-ID"]


async def test_sms_in_ones_language(scene: Scene) -> None:
    """Each reads the text and the words of his language; all are received; a reply acknowledges the newest alert."""
    infos = [
        info(language=tongue, headline=words, event=words, area=_area(2))
        for tongue, words in (("en", "Mudflow"), ("ru", "Угроза селя"), ("kk", "Сел қаупі"))
    ]
    first = await _post(scene, "sms-1", *infos)
    ends = [await _ends(scene, first)]
    second = await _post(scene, "sms-2", *infos)
    ends.append(await _ends(scene, second))
    read = {message.number: message.text for message in scene.centre.messages}
    taken = await scene.centre.reply("+77010000000", "1", to="112")
    client = scene.stage.client

    async def acknowledged() -> bool:
        return (await client.states(second))["s-0"] == "acknowledged"

    await until(acknowledged, within=5, why="the reply counts")
    await scene.centre.reply("+77010000099", "1", to="112")

    assert ends == [{f"s-{n}": ("delivered", None) for n in range(3)}] * 2
    assert ("Угроза селя" in read["+77010000000"], "Ответ" in read["+77010000000"]) == (True, True)
    assert ("Сел қаупі" in read["+77010000001"], "Жауап" in read["+77010000001"]) == (True, True)
    assert ("Mudflow" in read["+77010000002"], "Answer" in read["+77010000002"]) == (True, True)
    assert taken == 0
    assert (await client.states(first))["s-0"] == "delivered"
    assert (await client.alert(second))["counts"] == {"delivered": 2, "acknowledged": 1}
    assert not scene.centre.unreadable


async def test_sms_centre_with_faults(scene: Scene) -> None:
    """Throttling is waited out, a number that does not exist fails, a silent phone is not called delivered."""
    scene.centre.script = [RTHROTTLED, RTHROTTLED]
    scene.centre.fate["+77010000012"] = RINVDSTADR
    scene.centre.silent.add("+77010000013")
    ends = await _ends(scene, await _post(scene, "centre", info(area=_area(3))))

    assert ends == {
        "f-11": ("delivered", None),
        "f-12": ("failed", "invalid_number"),
        "f-13": ("delivered_unconfirmed", "no_receipt"),
    }


async def test_first_kind_is_enough(scene: Scene) -> None:
    """With policy ``first`` who got the SMS gets no mail; with ``all`` he gets both."""
    alert_id = await _post(scene, "first", info(area=_area(5)))
    await scene.stage.client.end(alert_id)
    rows = await scene.stage.client.deliveries(alert_id)

    assert sorted((row["recipient"], row["kind"]) for row in rows) == [
        ("all", "email"),
        ("all", "sms"),
        ("first", "sms"),
    ]
    assert "first@village.example" not in scene.box.mails


async def _links(scene: Scene, identifier: str) -> tuple[str, dict[str, str]]:
    ru = info(language="ru", headline="Паводок", event="Паводок", instruction="Отойдите от реки.", area=_area(4))
    alert_id = await _post(scene, identifier, info(area=_area(4)), ru)
    await scene.stage.client.end(alert_id)
    calls = [call for call in scene.stage.hooks.calls if call.data["alert_id"] == alert_id]
    return alert_id, {call.who: call.data["ack_url"] for call in calls}


async def test_link_is_a_page(scene: Scene) -> None:
    """The page is the whole alert in the reader's language, small, and without an effect; POST answers it."""
    client = scene.stage.client
    alert_id, links = await _links(scene, "page")
    pages = [await client.ask("GET", links["r-0"], key="") for _ in range(2)]
    before = (await client.alert(alert_id))["counts"]
    form = "application/x-www-form-urlencoded"
    answers = [
        await client.ask("POST", links["r-0"], {"answer": "1"}, key=""),
        await client.ask("POST", links["r-1"], key="", data=b"answer=2", Content_Type=form),
        await client.ask("POST", links["r-2"], key=""),
    ]
    rows = {row["recipient"]: row for row in await client.deliveries(alert_id)}
    given = [(rows[f"r-{n}"]["state"], rows[f"r-{n}"]["answer"]) for n in range(3)]

    assert [page.status for page in pages] == [200, 200]
    assert len(pages[0].raw) < 10_000
    assert 'lang="ru"' in pages[0].body
    assert all(words in pages[0].body for words in ("Паводок", "Отойдите от реки.", "Село"))
    assert "<script" not in pages[0].body
    assert before == {"delivered": 6}
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert given == [("acknowledged", "1"), ("acknowledged", "2"), ("acknowledged", "1")]
    assert (await client.alert(alert_id))["counts"] == {"delivered": 3, "acknowledged": 3}


async def test_other_links_are_all_alike(scene: Scene) -> None:
    """A link that was changed, cut or invented says 404 in the same words, for GET and POST; a bad answer is 4xx."""
    client = scene.stage.client
    alert_id, links = await _links(scene, "links")
    link = links["r-5"]
    start, token = link.rsplit("/", 1)
    other = "b" if token[-1] == "a" else "a"
    wrong = [f"{start}/{word}" for word in (token[:-1] + other, token[:-5], token + "a", "x", "a" * len(token))]
    found: list[Answer] = []
    for url in wrong:
        found += [await client.ask("GET", url, key=""), await client.ask("POST", url, key="")]
    bad = await client.ask("POST", link, {"answer": "help me"}, key="")

    assert {(answer.status, answer.raw) for answer in found} == {(404, found[0].raw)}
    assert 400 <= bad.status < 500
    assert (await client.alert(alert_id))["counts"] == {"delivered": 6}
