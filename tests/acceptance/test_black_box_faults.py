"""What goes wrong on the way, from outside: webhooks that fail in every manner, switches, ends of the relay."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from time import monotonic

import pytest
import pytest_asyncio

from tests.acceptance.black_box import Stage, stage
from tests.acceptance.black_box_alerts import Document, alert, info, instant, person
from tests.acceptance.black_box_receivers import SECRET, Call
from tests.acceptance.relay_side import free_port, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOLE_PORT = free_port()
HEALTHY, LOST, FEW = 200, 100, 160
#: What a recipient's system answers in turn, and how its delivery ends: state, reason, calls.
SYSTEMS: dict[str, tuple[list[int | float | str], tuple[str, str | None, int]]] = {
    "well": ([200], ("delivered", None, 1)),
    "created": ([201], ("delivered", None, 1)),
    "shaky": ([503, 500, 200], ("delivered", None, 3)),
    "slow": ([0.7], ("delivered", None, 1)),
    "patient": (["503 2", 200], ("delivered", None, 2)),
    "too-patient": (["429 3600"], ("expired", "http_429", 1)),
    "wrong": ([400], ("failed", "http_400", 1)),
    "elsewhere": ([301], ("failed", "redirect_refused", 1)),
    "gone": ([410], ("suppressed", "opted_out", 1)),
}


def _at(lat: int) -> list[Document]:
    return [{"areaDesc": "Place", "circle": [f"{lat},60 5"]}]


@contextlib.asynccontextmanager
async def _black_hole() -> AsyncIterator[None]:
    """A host that takes every connection and never says a word."""
    open_ones: list[asyncio.StreamWriter] = []

    def taken(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.append(writer)

    server = await asyncio.start_server(taken, "127.0.0.2", HOLE_PORT)
    try:
        yield
    finally:
        server.close()
        for writer in open_ones:
            writer.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A relay with recipients of every kind of trouble, a crowd half of which is lost in a black hole, and a few."""
    channels = {"webhook": {"adapter": "webhook", "settings": {"timeout": 2.0}}}
    folder = tmp_path_factory.mktemp("faults")
    async with _black_hole(), stage(folder, channels=channels, reach=[f"127.0.0.2:{HOLE_PORT}"]) as made:
        hole = {"kind": "webhook", "value": f"http://127.0.0.2:{HOLE_PORT}/hook", "secret": SECRET}
        at = {name: {"lat": lat, "lon": 60} for lat, name in enumerate(("trouble", "crowd", "few"))}
        troubled = [person(name, made.hooks.to(name), location=at["trouble"]) for name in SYSTEMS]
        crowd = [person(f"h{n}", made.hooks.to(f"h{n}"), location=at["crowd"]) for n in range(HEALTHY)]
        lost = [person(f"lost{n}", hole, location=at["crowd"]) for n in range(LOST)]
        mixed = [one for pair in zip(crowd[:LOST], lost, strict=True) for one in pair] + crowd[LOST:]
        few = [person(f"f{n}", made.hooks.to(f"f{n}"), location=at["few"]) for n in range(FEW)]
        await made.client.told(*troubled, *mixed, *few)
        yield made


def _calls(scene: Stage, alert_id: str) -> list[Call]:
    return [call for call in scene.hooks.calls if call.data["alert_id"] == alert_id]


async def test_every_manner_of_failing(scene: Stage) -> None:
    """Each system gets what the design says for its answer; a repeat is the same message; 410 is told no more."""
    scene.hooks.plan = {name: list(steps) for name, (steps, _) in SYSTEMS.items()}
    answer = await scene.client.post(alert("trouble", info(area=_at(0), expires=instant(8))))
    await scene.client.end(answer.body["id"])
    calls = _calls(scene, answer.body["id"])
    counted = Counter(call.who for call in calls)
    rows = await scene.client.deliveries(answer.body["id"])
    found = {row["recipient"]: (row["state"], row["reason"], counted[row["recipient"]]) for row in rows}
    later = await scene.client.post(alert("trouble-2", info(area=_at(0), expires=instant(2))))
    end = await scene.client.settled(later.body["id"])
    patient = [call.at for call in calls if call.who == "patient"]

    assert found == {name: wanted for name, (_, wanted) in SYSTEMS.items()}
    assert all(call.signed for call in calls)
    assert len({call.id for call in calls}) == len(SYSTEMS)
    assert patient[1] - patient[0] >= 2
    assert "gone" not in {call.who for call in _calls(scene, later.body["id"])}
    assert end["counts"]["suppressed"] == 1


async def test_black_hole_beside_healthy_hosts(scene: Stage) -> None:
    """A host that never answers delays nobody else; its own end as what they are, not as delivered."""
    began = monotonic()
    answer = await scene.client.post(alert("hole", info(area=_at(1), expires=instant(5))))
    await until(lambda: len(_calls(scene, answer.body["id"])) == HEALTHY, within=10, why="the healthy ones are told")
    took = monotonic() - began
    end = await scene.client.settled(answer.body["id"])
    lost = {state for who, state in (await scene.client.states(answer.body["id"])).items() if who.startswith("lost")}

    assert took < 3
    assert end["counts"]["delivered"] == HEALTHY
    assert sum(end["counts"].values()) == HEALTHY + LOST
    assert lost <= {"expired", "possibly_sent"}


async def test_switches(scene: Stage) -> None:
    """Stop and pause act within a second, are seen, and what waited goes on once they are taken back."""
    client = scene.client
    for name, off, on in (("all", "/v1/stop", "/v1/resume"), ("one", *_switch("webhook"))):
        pressed = await client.ask("POST", off)
        await asyncio.sleep(1)  # the promise: within a second
        answer = await client.post(alert(f"switch-{name}", info(area=_at(2))))
        await until(_planned(scene, answer.body["id"]), within=10, why="it is planned")
        await asyncio.sleep(0.5)  # the absence of something can only be waited for
        silent = not _calls(scene, answer.body["id"])
        status = await client.ask("GET", "/status", Accept="application/json")
        released = await client.ask("POST", on)
        end = await client.end(answer.body["id"])

        assert (pressed.status, released.status, silent) == (200, 200, True)
        assert status.body["stopped"] if name == "all" else status.body["channels"][0]["state"] == "paused"
        assert end["counts"] == {"delivered": FEW}
    assert (await client.ask("POST", "/v1/channels/nobody/pause")).status == 404


def _switch(channel: str) -> tuple[str, str]:
    return f"/v1/channels/{channel}/pause", f"/v1/channels/{channel}/resume"


def _planned(scene: Stage, alert_id: str) -> Callable[[], object]:
    async def there() -> bool:
        return bool((await scene.client.alert(alert_id)).get("deliveries") == FEW)

    return there


@pytest.mark.parametrize("how", ["SIGTERM", "kill -9 of everything"])
async def test_ends_of_the_relay(scene: Stage, how: str) -> None:
    """After either end all are told under the same ids; none twice after SIGTERM, none twice unlabelled after a kill."""
    scene.hooks.waits = 0.1
    try:
        answer = await scene.client.post(alert(f"end-{how.split(maxsplit=1)[0]}", info(area=_at(2))))
        alert_id = answer.body["id"]
        await until(lambda: len(_calls(scene, alert_id)) >= 20, within=10, why="some are told")
        if how == "SIGTERM":
            assert await scene.relay.stop() == 0
        else:
            await scene.relay.kill_everything()
        before = len(_calls(scene, alert_id))
        await scene.relay.start()
        end = await scene.client.end(alert_id, within=30)
    finally:
        scene.hooks.waits = 0.0
    told = Counter(call.who for call in _calls(scene, alert_id))
    labelled = {row["recipient"] for row in await scene.client.deliveries(alert_id) if row["possible_duplicate"]}
    twice = {who for who, times in told.items() if times > 1}

    assert before < FEW
    assert (end["counts"], len(told)) == ({"delivered": FEW}, FEW)
    assert twice <= (labelled if how != "SIGTERM" else set())
    assert len({call.id for call in _calls(scene, alert_id)}) == FEW
