"""Keys over HTTP."""

from __future__ import annotations

import pytest

from tests.integration.api.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_key_is_shown_once(house: House) -> None:
    """The credential is in the answer that makes the key and nowhere else; its hash nowhere at all."""
    made = await house.ask("POST", "/v1/keys", body={"role": "agency", "name": "hydro", "senders": ["*@hydro.example"]})
    listed = await house.ask("GET", "/v1/keys")
    row = next(row for row in listed.json["keys"] if row["key_id"] == made.json["key_id"])

    assert made.status == 201
    assert made.json["key"].startswith("chapar_")
    assert made.json["key"] not in listed.body.decode()
    assert "hash" not in listed.body.decode()
    assert (row["name"], row["role"], row["senders"], row["revoked"]) == ("hydro", "agency", ["*@hydro.example"], None)


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"role": "agency", "name": "hydro"}, "bad-key"),
        ({"role": "king", "name": "hydro"}, "validation-failed"),
        ({"role": "operator"}, "validation-failed"),
        ({"role": "operator", "name": "x", "pasword": "y"}, "validation-failed"),
        ({"role": "agency", "name": "x", "senders": ["*"], "area": "nowhere"}, "bad-area"),
    ],
)
async def test_an_unusable_key_is_not_made(house: House, body: dict[str, object], slug: str) -> None:
    """What cannot be meant is 422 and makes no key."""
    before = len((await house.ask("GET", "/v1/keys")).json["keys"])
    got = await house.ask("POST", "/v1/keys", body=body)

    assert (got.status, got.slug) == (422, slug)
    assert len((await house.ask("GET", "/v1/keys")).json["keys"]) == before


async def test_revoking_what_is_not_there(house: House) -> None:
    """An unknown key is 404; revoking twice is 204 twice."""
    made = (await house.ask("POST", "/v1/keys", body={"role": "operator", "name": "short"})).json["key_id"]
    unknown = await house.ask("DELETE", "/v1/keys/nothing")
    twice = [(await house.ask("DELETE", f"/v1/keys/{made}")).status for _ in range(2)]

    assert (unknown.status, unknown.slug) == (404, "not-found")
    assert twice == [204, 204]
