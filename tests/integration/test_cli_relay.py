"""The command line against the real relay: from an empty directory to people who were told."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.cli_side import RealRelay, environment

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRelay]:
    """One relay for the tests of this file, with five recipients in Almaty."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = RealRelay(tmp_path_factory.mktemp("cli"), port)
    try:
        made.start()
        assert made.run("recipients", "import", "-", stdin=people(5)).returncode == 0
        yield made
    finally:
        assert made.stop() == 0


def people(count: int) -> bytes:
    rows = [
        {
            "id": f"almaty-{n}",
            "languages": ["kk", "ru"],
            "addresses": [{"kind": "sms", "value": f"+7701000{n:04}"}],
            "location": {"lat": 43.24, "lon": 76.89},
        }
        for n in range(1, count + 1)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def earthquake(identifier: str) -> bytes:
    """Return our earthquake as if it happened now."""
    text = (EXAMPLES / "earthquake.xml").read_text()
    now = datetime.now(UTC).replace(microsecond=0)
    sent, expires = (f"{at:%Y-%m-%dT%H:%M:%S}-00:00" for at in (now, now + timedelta(hours=1)))
    text = re.sub(r"<sent>.*?</sent>", f"<sent>{sent}</sent>", text)
    text = re.sub(r"\s*<(effective|onset)>.*?</\1>", "", text)
    text = re.sub(r"<expires>.*?</expires>", f"<expires>{expires}</expires>", text)
    return re.sub(r"<identifier>.*?</identifier>", f"<identifier>{identifier}</identifier>", text).encode()


def test_alert_is_sent_and_followed_to_its_end(relay: RealRelay) -> None:
    """``relay send --wait`` ends when everybody was told, and says so; then every question has its answer."""
    sent = relay.run("send", "-", "--wait", "--timeout", "30", stdin=earthquake("CLI-1"))
    alert_id = sent.stdout.split()[1]
    listed = relay.run("alerts", "list")
    shown = json.loads(relay.run("alerts", "show", alert_id, "--json").stdout)
    deliveries = relay.run("alerts", "deliveries", alert_id)
    why = relay.run("alerts", "why", alert_id)

    assert sent.returncode == 0, sent.stderr
    assert "reach         received 5" in sent.stdout
    assert alert_id in listed.stdout
    assert shown["counts"] == {"delivered": 5}
    assert sorted(line.split()[0] for line in deliveries.stdout.splitlines()[1:]) == [
        f"almaty-{n}" for n in range(1, 6)
    ]
    assert "completed" in why.stdout


def test_same_alert_again_is_a_duplicate(relay: RealRelay) -> None:
    """The second post is answered with the first, exit code 0."""
    body = earthquake("CLI-2")
    relay.run("send", "-", stdin=body)
    again = relay.run("send", "-", stdin=body)

    assert again.returncode == 0
    assert "nothing is sent a second time" in again.stdout


def test_cancel_reaches_those_who_were_told(relay: RealRelay) -> None:
    """The Cancel is an alert of its own that ends too."""
    alert_id = relay.run("send", "-", "--wait", stdin=earthquake("CLI-3")).stdout.split()[1]
    done = json.loads(relay.run("alerts", "cancel", alert_id, "--reason", "false alarm", "--json").stdout)
    relay.until(lambda: '"completed"' in relay.run("alerts", "show", done["id"], "--json").stdout, within=20)
    shown = relay.run("alerts", "show", alert_id)

    assert f"cancelled by  {done['id']}" in shown.stdout


def test_broken_alert_is_refused_like_offline(relay: RealRelay) -> None:
    """``validate`` without a relay and ``send`` to one name the same rules."""
    broken = earthquake("CLI-4").replace(b"<severity>Extreme", b"<severity>Huge")
    offline = relay.run("validate", "-", "--json", stdin=broken)
    refused = relay.run("send", "-", "--json", stdin=broken)

    assert (offline.returncode, refused.returncode) == (1, 1)
    assert {row["rule"] for row in json.loads(offline.stdout)["findings"] if row["severity"] == "error"} == {
        row["rule"] for row in json.loads(refused.stdout)["errors"]
    }


def test_dry_run_previews(relay: RealRelay) -> None:
    """Whom it would reach, in which languages; nothing is stored."""
    ran = relay.run("send", "-", "--dry-run", stdin=earthquake("CLI-5"))

    assert ran.returncode == 0, ran.stderr
    assert "recipients    5" in ran.stdout
    assert "CLI-5" not in relay.run("alerts", "list", "--json").stdout


def test_key_can_be_used_until_it_is_revoked(relay: RealRelay, tmp_path: Path) -> None:
    """A bare key in a file posts for its own sender only; after revoking it is worthless."""
    key = relay.run("keys", "create", "--role", "agency", "--name", "seismo", "--sender", "*@seismo.example")
    (tmp_path / "seismo.key").write_text(key.stdout)
    with_key = ["--key-file", str(tmp_path / "seismo.key")]
    accepted = relay.run("send", "-", *with_key, stdin=earthquake("CLI-6"))
    other = relay.run("send", "-", *with_key, stdin=earthquake("CLI-7").replace(b"duty@seismo", b"duty@meteo"))
    key_id = key.stdout.split("_")[1]
    revoked = relay.run("keys", "revoke", key_id)
    refused = relay.run("alerts", "list", *with_key)

    assert accepted.returncode == 0, accepted.stderr
    assert "(403)" in other.stderr
    assert revoked.returncode == 0
    assert "(401)" in refused.stderr
    assert key_id in relay.run("keys", "list").stdout


def test_directory_round_trip(relay: RealRelay, tmp_path: Path) -> None:
    """Put, show, list, export, import again, delete; a bad line is named and the others are stored."""
    hook = {"kind": "webhook", "value": "https://rescue7.example/hook"}
    (tmp_path / "r.json").write_text(json.dumps({"id": "rescue-7", "name": "Rescue 7", "addresses": [hook]}))
    put = relay.run("recipients", "put", str(tmp_path / "r.json"))
    shown = relay.run("recipients", "show", "rescue-7")
    exported = relay.run("recipients", "export", str(tmp_path / "all.ndjson"))
    lines = (tmp_path / "all.ndjson").read_bytes()
    again = relay.run("recipients", "import", "-", stdin=b'{"id": "x"\n' + lines)
    deleted = relay.run("recipients", "delete", "rescue-7")

    assert put.stdout.startswith("created: rescue-7\nthe secret of https://rescue7.example/hook is shown once: whsec_")
    assert "Rescue 7" in shown.stdout
    assert "whsec_" not in shown.stdout
    assert "wrote 6 recipients" in exported.stderr
    assert again.returncode == 1
    assert "6 changed, 1 refused\n  line 1" in again.stdout
    assert deleted.returncode == 0
    assert "rescue-7" not in relay.run("recipients", "list").stdout


def test_refused_import_is_told_before_the_file_is_sent(relay: RealRelay, tmp_path: Path) -> None:
    """With a wrong key a large file ends in the refusal, not in a broken connection."""
    (tmp_path / "wrong.key").write_text("chapar_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    ran = relay.run("recipients", "import", "-", "--key-file", str(tmp_path / "wrong.key"), stdin=people(60_000))

    assert ran.returncode == 1
    assert "(401)" in ran.stderr


def test_switches_are_seen_in_the_status(relay: RealRelay) -> None:
    """Stop, resume, pause: the status says so at once."""
    relay.run("stop", "--reason", "drill")
    stopped = relay.run("status", "--watch", "--times", "1")
    relay.run("resume")
    relay.run("channels", "pause", "sms", "--reason", "wrong sender")
    paused = relay.run("channels", "list")
    relay.run("channels", "resume", "sms")

    assert "ALL SENDING IS STOPPED" in stopped.stdout
    assert len(stopped.stdout.splitlines()) <= 21
    assert "paused: wrong sender" in paused.stdout
    assert relay.run("channels", "pause", "none").returncode == 1


def test_doctor_and_check_are_content(relay: RealRelay) -> None:
    """A running relay is found, and its private server is looked at."""
    doctor, check = relay.run("doctor"), relay.run("check")

    assert doctor.returncode == 0, doctor.stdout
    assert "accepts alerts" in doctor.stdout
    assert "append-only file, appendfsync everysec" in doctor.stdout
    assert check.returncode == 0, check.stdout


def test_second_relay_on_the_same_data_is_refused(relay: RealRelay) -> None:
    """One sentence, exit code 1, and the first one goes on."""
    second = relay.run("serve")

    assert second.returncode == 1
    assert "another relay (process" in second.stderr
    assert "Traceback" not in second.stderr
    assert relay.run("status").returncode == 0


def test_closed_pipe_is_no_traceback(relay: RealRelay) -> None:
    """``relay … | head -1`` ends quietly."""
    command = f"{sys.executable} -m relay --config {relay.config} recipients export | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment(), check=False)  # noqa: S602

    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr
