"""``relay send``: what is posted, and what is said of it."""

import itertools
import json
from pathlib import Path

import pytest

from relay.commands import send
from relay.commands.client import Client
from relay.commands.failures import Unreachable
from relay.commands.target import find
from relay.settings import Settings
from relay.testing.clocks import FakeClock
from tests.unit.commands.conftest import Run
from tests.unit.commands.stub_relay import StubRelay

ACCEPTED = {"id": "abc", "state": "accepted", "priority": "P0", "durability": {"journal": "fsync", "redis": "applied"}}


@pytest.fixture
def alert(tmp_path: Path) -> str:
    path = tmp_path / "alert.xml"
    path.write_bytes(b'<?xml version="1.0" encoding="windows-1251"?>\n<alert>\xcf</alert>')
    return str(path)


def test_bytes_are_posted_as_they_are(relay: Run, stub: StubRelay, alert: str) -> None:
    """The agency's own encoding and line ends reach the relay."""
    stub.on("POST /v1/alerts", ACCEPTED, status=202)
    ran = relay("send", alert)

    assert ran.code == 0
    assert ran.out == "accepted: abc  P0\nsafe on disk\n"
    assert stub.asked[0].body == Path(alert).read_bytes()
    assert stub.asked[0].headers["Content-Type"] == "application/cap+xml"


def test_json_alert_is_posted_as_json(relay: Run, stub: StubRelay, tmp_path: Path) -> None:
    """The media type follows what is in the file, not its name."""
    (tmp_path / "alert.txt").write_text(' {"identifier": "x"}')
    stub.on("POST /v1/alerts", ACCEPTED, status=202)
    relay("send", str(tmp_path / "alert.txt"), "--strict")

    assert stub.asked[0].headers["Content-Type"] == "application/json"
    assert stub.asked[0].path == "/v1/alerts?mode=strict"


def test_refused_alert_is_1_with_every_finding(relay: Run, stub: StubRelay, alert: str) -> None:
    """What must be changed stands on standard error, in the language that was asked for."""
    finding = {"rule": "CAP-031", "severity": "error", "message": "Первое число — широта.", "path": "/a", "line": 41}
    stub.problem("POST /v1/alerts", status=422, title="Предупреждение не принято", errors=[finding])
    ran = relay("send", alert, "--lang", "ru")

    assert ran.code == 1
    assert "error CAP-031 line 41: Первое число — широта." in ran.err
    assert stub.asked[0].headers["Accept-Language"] == "ru"


def test_refusal_for_machines_is_the_problem_itself(relay: Run, stub: StubRelay, alert: str) -> None:
    """--json gives the problem document on standard output, exit code 1."""
    stub.problem("POST /v1/alerts", status=422, title="no")
    ran = relay("send", alert, "--json")

    assert ran.code == 1
    assert json.loads(ran.out)["status"] == 422


def test_dry_run_sends_nothing(relay: Run, stub: StubRelay, alert: str) -> None:
    """A preview is asked for as one and shown as one."""
    stub.on("POST /v1/alerts", {"priority": "P0", "recipients": 3, "messages": {"sms": 3}})
    ran = relay("send", alert, "--dry-run")

    assert stub.asked[0].path == "/v1/alerts?dry_run=true"
    assert ran.out.endswith("nothing was sent: this is what would be\n")


def test_dry_run_cannot_be_waited_for(relay: Run, alert: str) -> None:
    """Two options that contradict each other are wrong usage."""
    assert relay("send", alert, "--dry-run", "--wait").code == 2


@pytest.mark.parametrize(
    ("state", "code"),
    [("completed", 0), ("cancelled", 0), ("superseded", 0), ("held", 1), ("expired", 1), ("rejected", 1)],
)
def test_waiting_tells_what_became_of_it(relay: Run, stub: StubRelay, alert: str, state: str, code: int) -> None:
    """--wait ends with who was reached; 0 only when the alert was sent as meant."""
    stub.on("POST /v1/alerts", ACCEPTED, status=202)
    stub.on("GET /v1/alerts/abc", {"id": "abc", "state": "active", "counts": {"queued": 2}})
    stub.on("GET /v1/alerts/abc", {"id": "abc", "state": state, "counts": {"delivered": 2}})
    ran = relay("send", alert, "--wait")

    assert ran.code == code
    assert "reach         received 2" in ran.out
    assert "active: on the way 2" in ran.err


def test_waiting_for_machines_ends_with_the_last_answer(relay: Run, stub: StubRelay, alert: str) -> None:
    """With --json standard output is the alert's own document alone."""
    stub.on("POST /v1/alerts", ACCEPTED, status=202)
    stub.on("GET /v1/alerts/abc", {"id": "abc", "state": "completed"})
    ran = relay("send", alert, "--wait", "--json")

    assert json.loads(ran.out) == {"id": "abc", "state": "completed"}


def client_of(stub: StubRelay) -> Client:
    return Client(find(Settings(), url=stub.url))


class RunningClock(FakeClock):
    """A clock on which every look takes a second."""

    def __init__(self) -> None:
        super().__init__()
        self._ticks = itertools.count(0.0)

    def monotonic(self) -> float:
        return next(self._ticks)


def test_waiting_has_an_end(stub: StubRelay) -> None:
    """An alert that takes longer than --timeout goes on without us."""
    stub.on("GET /v1/alerts/abc", {"id": "abc", "state": "active"})
    last = send.until_ended(client_of(stub), "abc", timeout=3.5, clock=RunningClock())

    assert last.document()["state"] == "active"


def test_relay_that_comes_back_is_asked_again(stub: StubRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart during the wait does not end it."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    stub.on("GET /v1/alerts/abc", {"id": "abc", "state": "completed"})
    client = client_of(stub)
    right = client._target
    tries = iter([Unreachable("gone"), Unreachable("gone")])
    real = client.get

    def flaky(path: str, **how: object) -> object:
        for error in tries:
            raise error
        return real(path, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(client, "get", flaky)

    assert right.url == stub.url
    assert send.until_ended(client, "abc", timeout=60, clock=FakeClock()).document()["state"] == "completed"


def test_relay_that_stays_away_is_unreachable() -> None:
    """Waiting for a relay that is gone ends with its time."""
    client = Client(find(Settings(), url="http://127.0.0.1:1"))
    with pytest.raises(Unreachable):
        send.until_ended(client, "abc", timeout=0.5, clock=FakeClock())


def test_interrupt_leaves_the_alert_to_the_relay(
    relay: Run, stub: StubRelay, alert: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends the waiting, not the alert, and says where to look."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    stub.on("POST /v1/alerts", ACCEPTED, status=202)
    monkeypatch.setattr(send, "until_ended", interrupt)
    ran = relay("send", alert, "--wait")

    assert ran.code == 1
    assert "relay alerts show abc" in ran.err
