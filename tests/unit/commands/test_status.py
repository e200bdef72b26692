"""``relay status``: once, for machines, and watched."""

import io
import sys

import pytest

from relay.clock import SystemClock
from relay.commands import status
from relay.commands.client import Client
from relay.commands.failures import Refused
from relay.commands.status_lines import Frame
from relay.commands.target import find
from relay.settings import Settings
from tests.unit.commands.conftest import Run
from tests.unit.commands.stub_relay import StubRelay

STATUS = {"time": "2026-03-01T03:12:44Z", "stopped": False}


def test_status_is_shown_once(relay: Run, stub: StubRelay) -> None:
    """One answer, as lines."""
    stub.on("GET /status", STATUS)
    ran = relay("status")

    assert ran.code == 0
    assert ran.out.startswith("2026-03-01T03:12:44Z")
    assert stub.asked[0].headers["Accept"] == "application/json"


def test_machines_get_the_answer_unchanged(relay: Run, stub: StubRelay) -> None:
    """--json is the body, byte for byte."""
    stub.on("GET /status", b'{"time":  "now"}')

    assert relay("status", "--json").out == '{"time":  "now"}\n'


def test_watching_and_json_exclude_each_other(relay: Run) -> None:
    """A machine asks again by itself."""
    assert relay("status", "--watch", "--json").code == 2


def test_watching_a_pipe_writes_frames_below_each_other(
    relay: Run, stub: StubRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log of frames has no control codes."""
    monkeypatch.setattr(status, "EVERY", 0.01)
    stub.on("GET /status", STATUS)
    ran = relay("status", "--watch", "--times", "2")

    assert ran.code == 0
    assert ran.out.count("2026-03-01T03:12:44Z") == 2
    assert "\x1b" not in ran.out


def test_watching_goes_on_while_the_relay_is_away(relay: Run, stub: StubRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart of the relay does not end the watch; the old figures are called old."""
    monkeypatch.setattr(status, "EVERY", 0.01)
    stub.on("GET /status", STATUS)
    stub.problem("GET /status", status=503, title="The answer is not known now")
    stub.on("GET /status", STATUS)
    ran = relay("status", "--watch", "--times", "3")

    assert ran.out.count("NO NEWS: The answer is not known now") == 1


def test_watching_with_a_wrong_key_ends(stub: StubRelay) -> None:
    """What cannot become right by waiting is told at once."""
    stub.problem("GET /status", status=403, title="This key may not do that")
    client = Client(find(Settings(), url=stub.url))
    with pytest.raises(Refused):
        status.look(client, Frame(url=stub.url), clock=SystemClock())


def test_watching_begins_without_a_relay() -> None:
    """A watch that is started before the relay waits for it."""
    client = Client(find(Settings(), url="http://127.0.0.1:1"))
    frame = status.look(client, Frame(url="x"), clock=SystemClock())

    assert frame.document is None
    assert "no relay answers" in frame.trouble


def test_interrupt_ends_the_watch_cleanly(relay: Run, stub: StubRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is how a watch ends: no complaint, exit code 0."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    stub.on("GET /status", STATUS)
    monkeypatch.setattr("time.sleep", interrupt)
    ran = relay("status", "--watch")

    assert ran.code == 0
    assert ran.err == ""


def test_watching_on_a_terminal_draws_over_the_last_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame is cut to the width of the screen and leaves nothing of the longer one before it."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "21")
    status._draw(["x" * 50, "short"], first=False)

    assert screen.getvalue() == f"\x1b[H{'x' * 20}\x1b[K\nshort\x1b[K\n\x1b[J"
