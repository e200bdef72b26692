"""The client: every way in which a relay can be away, refuse, or not be one."""

import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme

from relay.commands.client import Client
from relay.commands.failures import Failed, Refused, Unreachable
from relay.commands.target import Target
from tests.unit.commands.stub_relay import StubRelay


def client_of(url: str, *, key: str = "chapar_k", pinned: Path | None = None) -> Client:
    return Client(Target(url=url, key=key, key_file=Path("var/admin.key"), pinned=pinned))


def test_key_and_language_travel_in_headers(stub: StubRelay) -> None:
    """The key is a Bearer token; it never stands in the address."""
    stub.on("GET /status", {"time": "now"})
    answer = Client(Target(url=stub.url, key="chapar_k", key_file=Path("k")), language="ru").get("/status")

    assert answer.document() == {"time": "now"}
    assert stub.asked[0].headers["Authorization"] == "Bearer chapar_k"
    assert stub.asked[0].headers["Accept-Language"] == "ru"
    assert "chapar_k" not in stub.asked[0].path


def test_refusal_carries_the_problem_and_its_bytes(stub: StubRelay) -> None:
    """What the relay said is there for people and, unchanged, for machines."""
    stub.problem("GET /v1/alerts/x", status=404, title="There is nothing here")
    with pytest.raises(Refused) as refused:
        client_of(stub.url).get("/v1/alerts/x")

    assert refused.value.problem["title"] == "There is nothing here"
    assert b'"status": 404' in refused.value.body


def test_page_of_a_proxy_is_told_as_what_it_is(stub: StubRelay) -> None:
    """An HTML error page is not printed as if the relay had said it."""
    stub.on("GET /status", b"<html>Bad gateway</html>", status=502)
    with pytest.raises(Refused, match="HTTP 502 without an explanation"):
        client_of(stub.url).get("/status")


def test_redirect_is_not_followed(stub: StubRelay) -> None:
    """The key is not carried to wherever an answer points."""
    stub.on("GET /status", b"", status=302, headers={"Location": "http://127.0.0.1:1/"})
    with pytest.raises(Refused, match="leads elsewhere"):
        client_of(stub.url).get("/status")

    assert len(stub.asked) == 1


def test_missing_key_is_explained(stub: StubRelay) -> None:
    """Without a key file, 401 says where the key was looked for."""
    stub.problem("GET /status", status=401, title="A valid key is needed")
    with pytest.raises(Failed, match=r"none at var/admin\.key.*--key-file"):
        client_of(stub.url, key="").get("/status")

    assert "Authorization" not in stub.asked[0].headers


def test_answer_that_is_no_json_is_no_relay(stub: StubRelay) -> None:
    """A web server that says 200 to everything is found out."""
    stub.on("GET /status", b"hello")
    with pytest.raises(Failed, match="really a relay"):
        client_of(stub.url).get("/status").document()


def test_list_instead_of_an_object_is_no_relay(stub: StubRelay) -> None:
    """All answers of the relay are objects."""
    stub.on("GET /status", [])
    with pytest.raises(Failed, match="JSON object"):
        client_of(stub.url).get("/status").document()


def test_empty_answer_is_an_empty_document(stub: StubRelay) -> None:
    """204 has no body."""
    stub.on("DELETE /v1/keys/a", b"", status=204)

    assert client_of(stub.url).delete("/v1/keys/a").document() == {}


def test_nobody_listening_is_unreachable() -> None:
    """A refused connection says how to start a relay."""
    with pytest.raises(Unreachable, match=r"start it with \./run serve"):
        client_of("http://127.0.0.1:1").get("/status")


def test_silence_is_unreachable() -> None:
    """A relay that accepts the connection and says nothing does not hold the terminal."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Unreachable, match="does not answer in time"):
            client_of(f"http://127.0.0.1:{port}").get("/status", within=0.2)


def test_broken_connection_is_unreachable() -> None:
    """A relay that dies while it answers is told apart from one that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            for _ in range(2):  # the library asks once more where that is harmless
                taken, _ = server.accept()
                taken.recv(1024)
                taken.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(Unreachable, match="broke off"):
            client_of(f"http://127.0.0.1:{server.getsockname()[1]}").get("/status")
        thread.join()


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://relay.example"])
def test_address_that_is_none_is_explained(url: str) -> None:
    """A mistyped --url gets an example, not a traceback."""
    with pytest.raises(Unreachable, match="no address of a relay"):
        client_of(url).get("/status")


def serve_once(context: ssl.SSLContext, server: socket.socket) -> None:
    taken, _ = server.accept()
    try:
        with context.wrap_socket(taken, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    except (ssl.SSLError, OSError):
        taken.close()


@pytest.mark.parametrize("same", [True, False])
def test_own_certificate_is_pinned(tmp_path: Path, *, same: bool) -> None:
    """On its own machine the relay must show the very certificate of its configuration, whatever name is in it."""
    shown, other = (trustme.CA().issue_cert("relay.meteo.example") for _ in range(2))
    pinned = tmp_path / "cert.pem"
    (shown if same else other).cert_chain_pems[0].write_to_path(pinned)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shown.configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve_once, args=(context, server))
        thread.start()
        client = client_of(f"https://127.0.0.1:{server.getsockname()[1]}", pinned=pinned)
        if same:
            assert client.get("/status").document() == {}
        else:
            with pytest.raises(Unreachable, match="certificate"):
                client.get("/status")
        thread.join()


def test_download_ends_when_enough_was_taken(stub: StubRelay) -> None:
    """Pieces go to the taker as they come, until it has enough."""
    stub.on("GET /v1/recipients/export", b"a\nb\n")
    pieces: list[bytes] = []

    def take(piece: bytes) -> bool:
        pieces.append(piece)
        return False

    client_of(stub.url).download("/v1/recipients/export", take)

    assert b"".join(pieces).startswith(b"a")


def test_download_that_is_refused_takes_nothing(stub: StubRelay) -> None:
    """A problem is not written into the file."""
    stub.problem("GET /v1/recipients/export", status=403, title="This key may not do that")
    pieces: list[bytes] = []
    with pytest.raises(Refused):
        client_of(stub.url).download("/v1/recipients/export", pieces.append)

    assert not pieces
