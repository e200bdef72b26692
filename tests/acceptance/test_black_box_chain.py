"""Cancels, updates, ends and the worst news, from outside and through a slow channel: whom exactly, and when no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from time import monotonic, time

import pytest
import pytest_asyncio

from tests.acceptance.black_box import Stage, stage
from tests.acceptance.black_box_alerts import Document, alert, info, instant, person, reference, xml
from tests.acceptance.black_box_receivers import Call
from tests.acceptance.relay_side import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CROWD, FEW = 400, 20
FAR = [{"areaDesc": "Far", "circle": ["30,60 5"]}]
RATE = 80


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A relay with a slow channel, a crowd in Talgar and a few people far away."""
    channels = {"webhook": {"adapter": "webhook", "rate": RATE}}
    async with stage(tmp_path_factory.mktemp("chain"), channels=channels) as made:
        crowd = [person(f"p{n}", made.hooks.to(f"p{n}")) for n in range(CROWD)]
        few = [person(f"q{n}", made.hooks.to(f"q{n}"), location={"lat": 30, "lon": 60}) for n in range(FEW)]
        await made.client.told(*crowd, *few)
        yield made


def _calls(scene: Stage, alert_id: str) -> list[Call]:
    return [call for call in scene.hooks.calls if call.data["alert_id"] == alert_id]


async def _under_way(scene: Stage, document: Document) -> str:
    """Post an alert and return its id once some of the crowd are told, and by far not all."""
    answer = await scene.client.post(document)
    alert_id = str(answer.body["id"])
    await until(lambda: len(_calls(scene, alert_id)) >= 40, within=20, why="some are told")
    return alert_id


def _exactly_once_after(first: list[Call], then: list[Call]) -> bool:
    """Whether those of ``first`` were each told ``then`` once, and nothing of ``first`` after that."""
    when = {call.who: call.at for call in then}
    told = Counter(call.who for call in then)
    return told == dict.fromkeys({call.who for call in first}, 1) and all(call.at < when[call.who] for call in first)


@pytest.mark.parametrize("way", ["by CAP", "by POST"])
async def test_cancel_while_it_is_sent(scene: Stage, way: str) -> None:
    """Who was told hears of the cancel, once; who was not told hears of neither; the cancel overtakes."""
    document = alert(f"cancelled-{way[3:]}", info(severity="Minor", headline="Cancelled"))
    alert_id = await _under_way(scene, document)
    if way == "by CAP":
        cancel = alert("the-cancel", msgType="Cancel", references=reference(document), info=None)
        cancel_id = (await scene.client.post_xml(xml(cancel))).body["id"]
    else:
        answer = await scene.client.ask("POST", f"/v1/alerts/{alert_id}/cancel", {"reason": "wrong river"})
        cancel_id = answer.body["id"]
        assert (answer.status, answer.body["cancels"]) == (202, alert_id)
    end, old = await scene.client.end(cancel_id), await scene.client.settled(alert_id)
    told = _calls(scene, alert_id)

    assert 40 <= len(told) < CROWD
    assert (old["state"], old["counts"]) == ("cancelled", {"delivered": len(told), "cancelled": CROWD - len(told)})
    assert end["counts"] == {"delivered": len(told)}
    assert _exactly_once_after(told, _calls(scene, cancel_id))
    assert {call.data["msgType"] for call in _calls(scene, cancel_id)} == {"Cancel"}


async def test_update_while_it_is_sent(scene: Stage) -> None:
    """An Update that lowers a P1 is P0; nobody hears of the old alert after it; all get the Update once."""
    document = alert("updated", info(headline="Updated"))
    alert_id = await _under_way(scene, document)
    lower = alert(
        "update", info(severity="Moderate", headline="Lower"), msgType="Update", references=reference(document)
    )
    answer = await scene.client.post(lower)
    end, old = await scene.client.end(answer.body["id"]), await scene.client.settled(alert_id)
    told, then = _calls(scene, alert_id), _calls(scene, answer.body["id"])
    when = {call.who: call.at for call in then}
    rows = await scene.client.deliveries(alert_id, "&state=cancelled")

    assert answer.body["priority"] == "P0"
    assert (old["state"], old["counts"]) == ("superseded", {"delivered": len(told), "cancelled": CROWD - len(told)})
    assert end["counts"] == {"delivered": CROWD}
    assert Counter(call.who for call in then) == {f"p{n}": 1 for n in range(CROWD)}
    assert all(call.at < when[call.who] for call in told)
    assert {row["reason"] for row in rows} == {"superseded"}


async def test_nothing_after_the_end(scene: Stage) -> None:
    """What the slow channel could not send before it expired is expired; nothing leaves afterwards."""
    ends = instant(4)
    document = alert("short", info(severity="Minor", headline="Short", expires=ends))
    answer = await scene.client.post(document)
    end = await scene.client.settled(answer.body["id"])
    late = monotonic() + datetime.fromisoformat(ends).timestamp() - time()
    await asyncio.sleep(1)  # the absence of something can only be waited for
    told = _calls(scene, answer.body["id"])

    assert 0 < len(told) < CROWD
    assert end["counts"] == {"delivered": len(told), "expired": CROWD - len(told)}
    assert max(call.at for call in told) < late + 0.2


@pytest.mark.parametrize(
    ("klass", "changes", "within"), [("P0", {"severity": "Extreme"}, 1.5), ("P2", {"urgency": "Future"}, 3.0)]
)
async def test_worst_news_first(scene: Stage, klass: str, changes: Document, within: float) -> None:
    """A flash alert to twenty is through within a second, though the channel is full of minor ones; a high one soon."""
    minor_id = await _under_way(scene, alert(f"minor-{klass}", info(severity="Minor", headline="Minor")))
    began = monotonic()
    worse = await scene.client.post(alert(f"worse-{klass}", info(headline="Worse", area=FAR, **changes)))
    await scene.client.end(worse.body["id"])
    last = max(call.at for call in _calls(scene, worse.body["id"]))
    between = [call for call in _calls(scene, minor_id) if began < call.at < last]
    minor = await scene.client.alert(minor_id)
    await scene.client.ask("POST", f"/v1/alerts/{minor_id}/cancel", {})

    assert (worse.body["priority"], minor["priority"], minor["state"]) == (klass, "P4", "active")
    assert last - began < within
    assert len(between) < RATE


async def test_cancelled_before_anybody_knew(scene: Stage) -> None:
    """With its channel paused nobody is told of an alert, nor of its cancel when the channel goes on."""
    client = scene.client
    await client.ask("POST", "/v1/channels/webhook/pause")
    await asyncio.sleep(1)  # a switch acts within a second
    answer = await client.post(alert("silent", info(headline="Silent", area=FAR)))
    await until(lambda: _planned(scene, answer.body["id"]), within=10, why="it is planned")
    cancel = await client.ask("POST", f"/v1/alerts/{answer.body['id']}/cancel", {})
    await client.ask("POST", "/v1/channels/webhook/resume")
    end, old = await client.end(cancel.body["id"]), await client.settled(answer.body["id"])

    assert (end["deliveries"], old["state"], old["counts"]) == (0, "cancelled", {"cancelled": FEW})
    assert not _calls(scene, answer.body["id"])
    assert not _calls(scene, cancel.body["id"])


async def _planned(scene: Stage, alert_id: str) -> bool:
    return bool((await scene.client.alert(alert_id)).get("deliveries") == FEW)


async def test_cancel_comes_first(scene: Stage) -> None:
    """A late original of a cancelled chain is stored, not sent."""
    original = alert("late", info(headline="Late", area=FAR))
    cancel = alert("late-cancel", msgType="Cancel", references=reference(original), info=None)
    first = await scene.client.post(cancel)
    second = await scene.client.post(original)
    await scene.client.end(first.body["id"])
    found = await scene.client.alert(second.body["id"])

    assert (second.status, found["state"], found["deliveries"]) == (202, "cancelled", 0)
    assert found["chain"]["cancelled_by"] == first.body["id"]


async def test_cancel_of_another_agency(scene: Stage) -> None:
    """Another agency's Cancel waits for a person; a drill never cancels what is real."""
    other = await scene.client.key(role="agency", name="other", senders=["*@other.example"])
    document = alert("mine", info(headline="Mine", area=FAR))
    mine = await scene.client.post(document)
    await scene.client.end(mine.body["id"])
    changes = {"msgType": "Cancel", "references": reference(document), "info": None}
    foreign = await scene.client.post(alert("theirs", sender="duty@other.example", **changes), key=other)
    drill = await scene.client.post(alert("drill", status="Exercise", **changes))

    assert (foreign.body["state"], drill.body["state"]) == ("held", "held")
    assert (await scene.client.alert(mine.body["id"]))["state"] == "completed"
