"""The directory and the keys from outside: imports line by line, secrets that stay, who may do what and how much."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from tests.acceptance.black_box import Answer, Client, Stage, stage, together
from tests.acceptance.black_box_alerts import alert, info, mail, person, reference, sms
from tests.acceptance.relay_side import free_port, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NDJSON = "application/x-ndjson"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A relay with one person in Talgar and a quota of 40 posts a minute for a key."""
    api = {"port": free_port(), "posts_per_minute": 40}
    async with stage(tmp_path_factory.mktemp("people"), api=api) as made:
        await made.client.told(person("aigul", made.hooks.to("aigul")))
        yield made


async def _import(client: Client, *lines: bytes) -> Answer:
    return await client.ask("POST", "/v1/recipients/import", data=b"\n".join(lines), Content_Type=NDJSON)


async def test_lines_of_an_import(scene: Stage) -> None:
    """Each bad line is named with its place, blank ones count, the good ones are stored."""
    lines = [
        orjson.dumps(person("good-1", sms(1), location=None)),
        b"",
        b'{"id":',
        orjson.dumps(person("number", {"kind": "sms", "value": "12"})),
        orjson.dumps(person("fax", {"kind": "fax", "value": "x"})),
        orjson.dumps(person("pole", mail("pole"), location={"lat": 95, "lon": 0})),
        orjson.dumps(person("extra", mail("extra"), bogus=1)),
        orjson.dumps(person("private", {"kind": "webhook", "value": "http://10.0.0.1/x"})),
        b"[]",
        orjson.dumps(person("good-2", mail("good"), location=None)),
    ]
    first, second = await _import(scene.client, *lines), await _import(scene.client, *lines)
    found = {error["line"]: error["path"] for error in first.body["errors"]}

    assert (first.status, first.body["imported"], first.body["updated"], first.body["failed"]) == (200, 2, 0, 7)
    assert (second.body["imported"], second.body["updated"]) == (0, 2)
    assert found == {
        3: "",
        4: "/addresses/0/value",
        5: "/addresses/0/kind",
        6: "/location/lat",
        7: "/bogus",
        8: "/addresses/0/value",
        9: "",
    }


async def test_export_can_be_imported(scene: Stage) -> None:
    """An export has no secrets; imported again it changes nothing: webhooks keep the secret their owners know."""
    exported = await scene.client.ask("GET", "/v1/recipients/export")
    answer = await _import(scene.client, *exported.raw.splitlines())
    again = await scene.client.ask("GET", "/v1/recipients/export")
    posted = await scene.client.post(alert("after-import", info(headline="After import")))
    await scene.client.end(posted.body["id"])

    assert b"whsec_" not in exported.raw
    assert (answer.body["imported"], answer.body["failed"]) == (0, 0)
    assert sorted(again.raw.splitlines()) == sorted(exported.raw.splitlines())
    assert [call.signed for call in scene.hooks.of("aigul") if call.data["headline"] == "After import"] == [True]


async def test_one_recipient(scene: Stage) -> None:
    """201, 200, 404, 204; a secret is shown once; what may not be reached is 422."""
    client, path = scene.client, "/v1/recipients/almaty-1"
    hook = person("almaty-1", {"kind": "webhook", "value": "https://almaty.example/hook"}, location=None)
    made, read = await client.ask("PUT", path, hook), await client.ask("GET", path)
    changed = await client.ask("PUT", path, {**hook, "name": "Other"})
    other = await client.ask("PUT", path, {**hook, "id": "almaty-2"})
    inside = [
        await client.ask("PUT", path, person("almaty-1", {"kind": "webhook", "value": url}))
        for url in ("http://127.0.0.1:1/x", "http://169.254.169.254/x", "http://[::1]/x")
    ]
    gone = [(await client.ask("DELETE", path)).status for _ in range(2)]

    assert (made.status, changed.status, other.status) == (201, 200, 422)
    assert made.body["addresses"][0]["secret"].startswith("whsec_")
    assert "secret" not in read.body["addresses"][0]
    assert "secret" not in changed.body["addresses"][0]
    assert [answer.status for answer in inside] == [422, 422, 422]
    assert gone == [204, 404]
    assert (await client.ask("GET", path)).status == 404


async def test_edits_count_at_once(scene: Stage) -> None:
    """Who was put in is told of the next alert, who was taken out is not, who came back is again."""
    client, hooks, told = scene.client, scene.hooks, []
    newcomer = person("newcomer", hooks.to("newcomer"))
    for step, method in enumerate(("PUT", "DELETE", "PUT")):
        await client.ask(method, "/v1/recipients/newcomer", newcomer if method == "PUT" else None)
        answer = await client.post(alert(f"edit-{step}", info(headline=f"Edit {step}")))
        await client.end(answer.body["id"])
        told.append(hooks.who(f"Edit {step}"))

    assert told == [Counter(aigul=1, newcomer=1), Counter(aigul=1), Counter(aigul=1, newcomer=1)]
    await client.ask("DELETE", "/v1/recipients/newcomer")


async def test_roles(scene: Stage) -> None:
    """An agency posts as its senders and sees its own; an operator runs the relay; an approver decides."""
    client = scene.client
    meteo = await client.key(role="agency", name="meteo", senders=["*@meteo.example"])
    other = await client.key(role="agency", name="other", senders=["*@other.example"])
    approver = await client.key(role="approver", name="approver")
    held = await client.post(alert("roles", info(area=None)), key=meteo)
    path = f"/v1/alerts/{held.body['id']}"
    word = {"decision": "reject", "reason": "no area"}
    foreign = await client.post(alert("foreign"), key=other)
    basic = base64.b64encode(f"agency:{meteo}".encode()).decode()
    by_basic = await client.post(alert("basic", info(severity="Minor")), key="", Authorization=f"Basic {basic}")
    closed = [
        (await client.ask(method, at, key=meteo, Accept="application/json")).status
        for method, at in (
            ("GET", "/v1/keys"),
            ("GET", "/v1/recipients/export"),
            ("POST", "/v1/stop"),
            ("GET", "/status"),
        )
    ]
    decided = [(await client.ask("POST", f"{path}/approval", word, key=k)).status for k in (meteo, other, approver)]

    assert (foreign.status, foreign.body["type"]) == (403, "urn:chapar:problem:sender-not-allowed")
    assert [(await client.ask("GET", path, key=key)).status for key in (meteo, other, approver, "")] == [
        200,
        404,
        200,
        401,
    ]
    assert (await client.ask("POST", f"{path}/cancel", key=other)).status == 404
    assert (by_basic.status, closed) == (202, [403, 403, 403, 403])
    assert decided[1:] == [403, 200] or decided[1:] == [404, 200]
    assert decided[0] == 403
    assert (await client.alert(held.body["id"]))["state"] == "rejected"


async def test_revoked_within_a_second(scene: Stage) -> None:
    """A revoked key is refused within a second."""
    client = scene.client
    made = await client.ask("POST", "/v1/keys", {"role": "operator", "name": "leaver"})
    before = await client.ask("GET", "/v1/channels", key=made.body["key"])
    await client.ask("DELETE", f"/v1/keys/{made.body['id']}")

    async def refused() -> bool:
        return (await client.ask("GET", "/v1/channels", key=made.body["key"])).status == 401

    assert before.status == 200
    assert await until(refused, within=1.0, why="the key is refused")


async def test_quota(scene: Stage) -> None:
    """Posts beyond a key's quota are 429 with a time to wait; another key is not touched."""
    client = scene.client
    eager = await client.key(role="agency", name="eager", senders=["*@meteo.example"])
    documents = [
        alert(f"quota-{n}", info(severity="Minor", area=[{"areaDesc": "x", "circle": ["0,0 1"]}])) for n in range(50)
    ]
    answers = await together([client.post(document, key=eager) for document in documents])
    refused = [answer for answer in answers if answer.status == 429]

    assert Counter(answer.status for answer in answers) == {202: 40, 429: 10}
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert (await client.post(alert("other-key", info(severity="Minor")))).status == 202


async def test_rehearsal(scene: Stage) -> None:
    """With a test key everything happens and nothing leaves; the real alert is no duplicate of it, nor cancelled by it."""
    client, hooks = scene.client, scene.hooks
    rehearse = await client.key(role="agency", name="rehearse", senders=["*@meteo.example"], mode="test")
    document = alert("rehearsal", info(headline="Rehearsal"))
    tried = await client.post(document, key=rehearse)
    simulated = await client.end(tried.body["id"])
    before = hooks.who("Rehearsal")
    real = await client.post(document)
    await client.end(real.body["id"])
    cancel = alert("rehearsal-cancel", msgType="Cancel", references=reference(document))
    await client.end((await client.post(cancel, key=rehearse)).body["id"])
    by_id = await client.ask("POST", f"/v1/alerts/{real.body['id']}/cancel", key=rehearse)

    assert simulated["counts"] == {"simulated": 1}
    assert not before
    assert (tried.status, real.status, by_id.status) == (202, 202, 404)
    assert hooks.who("Rehearsal") == Counter(aigul=1)
    assert (await client.alert(real.body["id"]))["state"] == "completed"


async def test_territory(scene: Stage) -> None:
    """Outside a key's area a person decides; swapped coordinates that fit it are refused with a hint."""
    client = scene.client
    osh = await client.key(role="agency", name="osh", senders=["*@meteo.example"], area="40,70,42,74")
    swapped = info(area=[{"areaDesc": "Osh", "polygon": ["70.5,41 71,41 71,41.5 70.5,41.5 70.5,41"]}])
    outside = await client.post(alert("outside"), key=osh)
    refused = await client.post(alert("swapped", swapped), key=osh)

    assert (outside.body["state"], outside.body["reason"]) == ("held", "outside_jurisdiction")
    assert refused.status == 422
    assert "41,70.5" in refused.body["errors"][0]["message"]
