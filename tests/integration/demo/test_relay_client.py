"""The demo's client against a real HTTP server that answers as a relay would, and otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from relay.demo.faults import Fault
from relay.demo.relay_client import RelayClient
from relay.testing.clocks import FakeClock

Seen = list[tuple[str, str, dict[str, str], bytes]]


class Answers:
    """What each path answers: status and document."""

    def __init__(self) -> None:
        self.given: dict[str, tuple[int, Any]] = {}
        self.pages: list[dict[str, Any]] = []
        self.seen: Seen = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.seen.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        if request.path.endswith("/deliveries"):
            return web.json_response(self.pages.pop(0))
        status, document = self.given.get(request.path, (404, {"title": "Not found"}))
        return web.json_response(document, status=status)


@pytest.fixture
async def relay() -> AsyncIterator[Answers]:
    """A server that answers as told."""
    answers = Answers()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers.handle)
    async with TestServer(app) as server:
        answers.url = str(server.make_url("/")).rstrip("/")
        yield answers


@pytest.fixture
async def client(relay: Answers) -> AsyncIterator[RelayClient]:
    """A client with an operator's key."""
    made = RelayClient(relay.url, "operator-key", clock=FakeClock())
    yield made
    await made.close()


async def test_an_agency_posts(relay: Answers, client: RelayClient) -> None:
    """An alert goes out as it is, with the agency's own key, and whatever is answered comes back."""
    relay.given["/v1/alerts"] = (422, {"errors": [{"rule": "CAP-031"}]})
    posted = await client.post_alert(b"<alert/>", key="agency-key")
    _, _, headers, body = relay.seen[0]

    assert (posted.status, posted.body["errors"][0]["rule"], posted.alert_id) == (422, "CAP-031", "")
    assert (body, headers["Content-Type"], headers["Authorization"]) == (
        b"<alert/>",
        "application/cap+xml",
        "Bearer agency-key",
    )


async def test_all_pages_are_read(relay: Answers, client: RelayClient) -> None:
    """Deliveries are read to the last page."""
    relay.pages = [{"deliveries": [{"id": "1"}], "next": "c"}, {"deliveries": [{"id": "2"}], "next": None}]

    assert [row["id"] for row in await client.deliveries("a")] == ["1", "2"]
    assert relay.seen[1][1].endswith("limit=1000&cursor=c")


async def test_a_refused_line_is_a_fault(relay: Answers, client: RelayClient) -> None:
    """An import counts what is stored; one line that is refused is not passed over."""
    relay.given["/v1/recipients/import"] = (200, {"imported": 2, "updated": 1, "failed": 0, "errors": []})
    stored = await client.import_people(b"{}\n{}\n{}\n")
    relay.given["/v1/recipients/import"] = (200, {"imported": 2, "updated": 0, "failed": 1, "errors": [{"line": 3}]})

    assert stored == 3
    with pytest.raises(Fault, match="1 recipients were refused"):
        await client.import_people(b"{}\n")


async def test_a_key_is_made(relay: Answers, client: RelayClient) -> None:
    """The agency's key comes back from the operator's session."""
    relay.given["/v1/keys"] = (201, {"key": "new-key"})

    assert await client.create_key(name="hydromet", sender="*@meteo.example", area="1,2,3,4") == "new-key"
    assert relay.seen[0][2]["Authorization"] == "Bearer operator-key"


async def test_the_reader_of_a_link_has_no_key(relay: Answers, client: RelayClient) -> None:
    """Acknowledging needs the link and nothing else."""
    relay.given["/a/token"] = (200, {})
    status = await client.acknowledge(f"{relay.url}/a/token")

    assert status == 200
    assert "Authorization" not in relay.seen[0][2]
    assert relay.seen[0][3] == b"answer=1"


async def test_other_answers_are_faults(relay: Answers, client: RelayClient) -> None:
    """An answer that was not asked for says so; no answer at all too."""
    with pytest.raises(Fault, match="GET /v1/alerts/none was answered 404 Not found"):
        await client.alert("none")
    assert not await client.ready()
    nobody = RelayClient("http://127.0.0.1:9", "", clock=FakeClock())
    with pytest.raises(Fault, match="was not answered"):
        await nobody.status()
    assert not await nobody.ready()
    await nobody.close()
