"""Lists are followed over their cursors, as far as wanted."""

from relay.commands.client import Client
from relay.commands.pages import given, read
from relay.commands.target import find
from relay.settings import Settings
from tests.unit.commands.stub_relay import StubRelay


def client_of(stub: StubRelay) -> Client:
    return Client(find(Settings(), url=stub.url))


def test_pages_are_joined(stub: StubRelay) -> None:
    """Cursors are followed; an empty page in between is no end."""
    stub.on("GET /v1/x", {"xs": [{"n": 1}, {"n": 2}], "next": "a"})
    stub.on("GET /v1/x", {"xs": [], "next": "b"})
    stub.on("GET /v1/x", {"xs": [{"n": 3}], "next": None})
    found = read(client_of(stub), "/v1/x", plural="xs", params={"state": "s"}, limit=10)

    assert [row["n"] for row in found.rows] == [1, 2, 3]
    assert not found.more
    assert [asked.path for asked in stub.asked] == [
        "/v1/x?state=s&limit=10",
        "/v1/x?state=s&limit=8&cursor=a",
        "/v1/x?state=s&limit=8&cursor=b",
    ]


def test_reading_stops_when_there_is_enough(stub: StubRelay) -> None:
    """A list of a million is not read for twenty rows."""
    stub.on("GET /v1/x", {"xs": [{"n": 1}], "next": "a"})
    found = read(client_of(stub), "/v1/x", plural="xs", params={}, limit=2)

    assert len(found.rows) == 2
    assert found.more


def test_empty_parameters_are_left_out() -> None:
    """An option that was not given is no filter."""
    assert given(state="", kind="sms") == {"kind": "sms"}
