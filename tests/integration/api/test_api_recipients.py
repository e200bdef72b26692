"""The directory over HTTP: one recipient at a time, and as a stream of lines."""

from __future__ import annotations

import gzip
from typing import Any

import orjson
import pytest

from tests.integration.api.house import ALMATY, House

pytestmark = pytest.mark.asyncio(loop_scope="module")


def recipient(n: int, **values: Any) -> dict[str, Any]:
    """Return recipient number ``n``."""
    given = {
        "id": f"squad-{n}",
        "name": f"Rescue squad {n}",
        "languages": ["kk", "ru"],
        "addresses": [{"kind": "sms", "value": f"+7701000{n:04d}"}],
        "location": ALMATY,
    }
    return given | values


def lines(*rows: Any) -> bytes:
    """Return NDJSON; bytes are taken as they are."""
    return b"\n".join(row if isinstance(row, bytes) else orjson.dumps(row) for row in rows)


async def test_put_get_delete(house: House) -> None:
    """A recipient is made with 201, changed with 200, read without secrets, and taken out with 204."""
    path = "/v1/recipients/squad-7"
    hook = {"kind": "webhook", "value": "https://rescue7.example/hook"}
    body = recipient(7, addresses=[{"kind": "sms", "value": "+77010000007"}, hook])
    made = await house.ask("PUT", path, who="duty", body=body)
    read = await house.ask("GET", path, who="duty")
    changed = await house.ask("PUT", path, who="duty", body={**body, "name": "Renamed"})
    gone = await house.ask("DELETE", path, who="duty")
    after = await house.ask("GET", path, who="duty")
    again = await house.ask("DELETE", path, who="duty")

    assert made.status == 201
    assert made.json["addresses"][1]["secret"].startswith("whsec_")
    assert read.status == 200
    assert "secret" not in read.json["addresses"][1]
    assert (read.json["min_severity"], read.json["policy"]) == ("Minor", "all")
    assert changed.status == 200
    assert changed.json["name"] == "Renamed"
    assert "secret" not in changed.json["addresses"][1]
    assert (gone.status, gone.body) == (204, b"")
    assert (after.status, again.status) == (404, 404)


@pytest.mark.parametrize(
    ("change", "status", "slug"),
    [
        ({"naem": "x"}, 422, "validation-failed"),
        ({"id": "somebody-else"}, 422, "validation-failed"),
        ({"addresses": []}, 422, "validation-failed"),
        ({"addresses": [{"kind": "sms", "value": "112"}]}, 422, "validation-failed"),
        ({"addresses": [{"kind": "webhook", "value": "http://127.0.0.1:9/"}]}, 422, "blocked-target"),
        ({"addresses": [{"kind": "webhook", "value": "https://user:pw@host.example/"}]}, 422, "bad-uri"),
    ],
)
async def test_a_broken_recipient_is_refused(house: House, change: dict[str, Any], status: int, slug: str) -> None:
    """A mistake in a recipient is 422 with a JSON Pointer to it."""
    got = await house.ask("PUT", "/v1/recipients/squad-8", who="duty", body=recipient(8, **change))

    assert (got.status, got.slug) == (status, slug)
    assert got.json["errors"][0]["path"].startswith("/")


async def test_strict_json(house: House) -> None:
    """Doubled fields, broken JSON and other media types are refused (SEC-009)."""
    path = "/v1/recipients/squad-9"
    twice = await house.ask("PUT", path, who="duty", body=b'{"name":"a","name":"b"}')
    broken = await house.ask("PUT", path, who="duty", body=b"{")
    form = await house.ask("PUT", path, who="duty", body=b"a=b", Content_Type="application/x-www-form-urlencoded")

    assert (twice.status, twice.slug) == (400, "duplicate-key")
    assert (broken.status, broken.slug) == (400, "malformed-json")
    assert (form.status, form.slug) == (415, "unsupported-media-type")


async def test_import_and_export(house: House) -> None:
    """Good lines are stored, bad ones are named by line and place; an export can be imported again."""
    body = lines(recipient(101), b"", recipient(102), b"{oops", recipient(103, addresses=[]), recipient(104))
    first = await house.ask("POST", "/v1/recipients/import", who="duty", body=body, Content_Type="application/x-ndjson")
    second = await house.ask(
        "POST",
        "/v1/recipients/import",
        who="duty",
        body=gzip.compress(lines(*(recipient(n) for n in range(101, 1300)))),
        Content_Type="application/x-ndjson",
        Content_Encoding="gzip",
    )
    exported = await house.ask("GET", "/v1/recipients/export", who="duty")
    rows = [orjson.loads(line) for line in exported.body.splitlines()]
    back = await house.ask(
        "POST", "/v1/recipients/import", who="duty", body=exported.body, Content_Type="application/x-ndjson"
    )

    assert first.status == 200
    assert (first.json["imported"], first.json["updated"], first.json["failed"]) == (3, 0, 2)
    assert [error["line"] for error in first.json["errors"]] == [4, 5]
    assert first.json["errors"][1]["path"] == "/addresses"
    assert (second.json["imported"], second.json["updated"]) == (1196, 3)
    assert exported.headers["Content-Type"] == "application/x-ndjson"
    assert {f"squad-{n}" for n in range(101, 1300)} <= {row["id"] for row in rows}
    assert back.json["failed"] == 0
    assert back.json["updated"] == len(rows)


async def test_a_damaged_import_says_so(house: House) -> None:
    """Damaged gzip in an import is 400."""
    packed = gzip.compress(lines(recipient(5)))[:-6]
    got = await house.ask(
        "POST",
        "/v1/recipients/import",
        who="duty",
        body=packed,
        Content_Type="application/x-ndjson",
        Content_Encoding="gzip",
    )

    assert (got.status, got.slug) == (400, "bad-content-encoding")


async def test_the_list_is_walked_by_cursor(house: House) -> None:
    """The list holds every recipient once."""
    await house.ask("PUT", "/v1/recipients/listed-1", who="duty", body=recipient(1, id="listed-1"))
    await house.ask("PUT", "/v1/recipients/listed-2", who="duty", body=recipient(2, id="listed-2"))
    seen, cursor = [], ""
    while True:
        page = (await house.ask("GET", f"/v1/recipients?limit=400{cursor}", who="duty")).json
        seen += [row["id"] for row in page["recipients"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"

    assert {"listed-1", "listed-2"} <= set(seen)
    assert len(seen) == len(set(seen))


async def test_an_import_says_what_it_takes(house: House) -> None:
    """CSV is not taken yet, and says so."""
    got = await house.ask("POST", "/v1/recipients/import", who="duty", body=b"id,name", Content_Type="text/csv")

    assert (got.status, got.slug) == (415, "unsupported-media-type")
