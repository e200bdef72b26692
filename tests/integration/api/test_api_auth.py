"""Who may ask what (bad inputs, class D)."""

from __future__ import annotations

import base64

import pytest

from relay.api.app import routes
from relay.api.auth import WRONG_PER_MINUTE
from relay.intake.authority import Role, may
from tests.integration.api.house import House, alert_json, alert_xml

pytestmark = pytest.mark.asyncio(loop_scope="module")


def basic(password: str) -> str:
    """Return a Basic header with a key as password."""
    return f"Basic {base64.b64encode(f'agency:{password}'.encode()).decode()}"


async def test_no_key(house: House) -> None:
    """Without a key, or with one in the query, a post is 401 and says how to sign in (BI-057, 059)."""
    without = await house.post(alert_xml("d-1"), who="")
    in_query = await house.post(alert_xml("d-1"), who="", query=f"?api_key={house.keys['meteo']}")

    assert (without.status, without.slug) == (401, "unauthenticated")
    assert "Bearer" in without.headers["WWW-Authenticate"]
    assert in_query.status == 401


@pytest.mark.parametrize(
    "header",
    ["Basic !!!", "Basic " + "A" * 4000, "Bearer x", "Digest a=b", "Bearer chapar_aaaaaaaa_" + "a" * 32, "Basic eA=="],
)
async def test_a_wrong_key_is_401(house: House, header: str) -> None:
    """Whatever is no live key is 401 (BI-060)."""
    got = await house.ask("GET", "/v1/alerts", who="", Authorization=header)

    assert (got.status, got.slug) == (401, "unauthenticated")


async def test_basic_with_the_key_as_password(house: House) -> None:
    """An old composer that turns ``https://agency:KEY@…`` into Basic gets in."""
    got = await house.post(alert_xml("d-2"), who="", Authorization=basic(house.keys["meteo"]))

    assert got.status == 202


async def test_two_authorization_headers(house: House) -> None:
    """Two Authorization headers are 400 (BI-061)."""
    line = b"Authorization: Bearer " + house.keys["admin"].encode() + b"\r\n"
    got = await house.raw(b"GET /v1/alerts HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n" + line + line + b"\r\n")

    assert got.startswith(b"HTTP/1.1 400 ")
    assert b"malformed-request" in got


async def test_a_revoked_key_is_401_at_once(house: House) -> None:
    """A revoked key opens nothing any more (BI-062)."""
    made = (await house.ask("POST", "/v1/keys", body={"role": "operator", "name": "leaving"})).json
    header = f"Bearer {made['key']}"
    before = await house.ask("GET", "/v1/alerts", who="", Authorization=header)
    gone = await house.ask("DELETE", f"/v1/keys/{made['key_id']}")
    after = await house.ask("GET", "/v1/alerts", who="", Authorization=header)

    assert (before.status, gone.status, after.status) == (200, 204, 401)


async def test_another_agencys_sender(house: House) -> None:
    """A key posts only as its own senders (BI-064); the refusal is remembered without its body."""
    got = await house.post(alert_json("d-3", sender="duty@seismo.example"), who="meteo")
    refused = await house.refused("sender-not-allowed")

    assert (got.status, got.slug) == (403, "sender-not-allowed")
    assert refused["agency"] == "meteo"


async def test_a_key_without_the_right(house: House) -> None:
    """A role that may not do something gets 403 (BI-065)."""
    got = await house.post(alert_xml("d-4"), who="approver")

    assert (got.status, got.slug) == (403, "forbidden")


async def test_every_route_against_every_role(house: House) -> None:
    """Each role gets exactly the routes of its actions: 403 for all others, 401 without a key."""
    roles = {"meteo": Role.AGENCY, "duty": Role.OPERATOR, "approver": Role.APPROVER, "admin": Role.ADMIN}
    keys = {name: house.services.register.authenticate_credential(house.keys[name]) for name in roles}
    wrong = []
    for route in routes(house.services):
        if not route.needs or route.path.endswith(("/stop", "/resume", "/pause", "/import")):
            continue
        path = route.path.replace("{id}", "nobody").replace("{name}", "nothing")
        for name, key in keys.items():
            got = await house.ask(route.method, path, who=name)
            allowed = key is not None and any(may(key, action) for action in route.needs)
            if (got.status == 403) == allowed or got.status >= 500:
                wrong.append((route.method, path, name, got.status))
        if (await house.ask(route.method, path, who="", Authorization="Bearer x")).status not in (401, 429):
            wrong.append((route.method, path, "nobody", 0))

    assert not wrong


async def test_another_agencys_alerts_are_not_there(house: House) -> None:
    """An agency sees its own alerts and gets 404 for all others, on every route (BI-235, SEC-076)."""
    mine = (await house.post(alert_json("own-1", sender="duty@seismo.example"), who="seismo")).json["id"]
    theirs = [
        (await house.ask(method, f"/v1/alerts/{mine}{rest}", who="meteo")).status
        for method, rest in (("GET", ""), ("GET", "/why"), ("GET", "/deliveries"), ("POST", "/cancel"))
    ]
    listed = (await house.ask("GET", "/v1/alerts?limit=1000", who="meteo")).json["alerts"]
    own = await house.ask("GET", f"/v1/alerts/{mine}", who="seismo")
    everything = (await house.ask("GET", "/v1/alerts?limit=1000", who="duty")).json["alerts"]

    assert theirs == [404, 404, 404, 404]
    assert mine not in {row["id"] for row in listed}
    assert own.json["identifier"] == "own-1"
    assert mine in {row["id"] for row in everything}


async def test_guessing_is_slowed_down(house: House) -> None:
    """Many wrong keys from one address get 429, while a right one goes on (BI-081)."""
    statuses = [
        (await house.ask("GET", "/v1/alerts", who="", Authorization="Bearer x")).status
        for _ in range(WRONG_PER_MINUTE + 20)
    ]
    right = await house.ask("GET", "/v1/alerts", who="meteo")

    assert statuses[-1] == 429
    assert set(statuses) <= {401, 429}
    assert right.status == 200
