"""``relay keys``: the credential alone on standard output, and nowhere else."""

import json
from pathlib import Path

import pytest

from relay.commands.failures import Failed
from relay.commands.keys import area_text, keys_sheet
from tests.unit.commands.conftest import Run
from tests.unit.commands.stub_relay import StubRelay

MADE = {"key": "chapar_new_secret", "id": "new", "role": "agency", "name": "hydromet"}


def test_bare_key_is_all_that_is_printed(relay: Run, stub: StubRelay) -> None:
    """``relay keys create … > hydromet.key`` leaves a usable file."""
    stub.on("POST /v1/keys", MADE, status=201)
    ran = relay("keys", "create", "--role", "agency", "--name", "hydromet", "--sender", "*@meteo.example")

    assert ran.out == "chapar_new_secret\n"
    assert "chapar_new_secret" not in ran.err
    assert stub.asked[0].document == {
        "role": "agency",
        "name": "hydromet",
        "senders": ["*@meteo.example"],
        "mode": "live",
    }


def test_every_limit_of_a_key_is_passed_on(relay: Run, stub: StubRelay, tmp_path: Path) -> None:
    """Senders and hazards repeat; the area may be a file."""
    (tmp_path / "area.json").write_text('{"type": "Polygon"}')
    stub.on("POST /v1/keys", MADE, status=201)
    limits = [
        "--sender",
        "a@x.example",
        "--sender",
        "b@x.example",
        "--mode",
        "test",
        "--strict",
        "--hazard",
        "Geo",
        "--hazard",
        "Met",
    ]
    relay("keys", "create", "--role", "agency", "--name", "x", "--area", str(tmp_path / "area.json"), *limits)

    assert stub.asked[0].document == {
        "role": "agency",
        "name": "x",
        "senders": ["a@x.example", "b@x.example"],
        "mode": "test",
        "strict": True,
        "area": '{"type": "Polygon"}',
        "hazards": ["Geo", "Met"],
    }


def test_machines_get_the_object(relay: Run, stub: StubRelay) -> None:
    """--json is the whole answer."""
    stub.on("POST /v1/keys", MADE, status=201)

    assert json.loads(relay("keys", "create", "--role", "operator", "--name", "duty", "--json").out) == MADE


def test_agency_without_a_sender_is_wrong_usage(relay: Run, stub: StubRelay) -> None:
    """The mistake is found before anything is asked."""
    ran = relay("keys", "create", "--role", "agency", "--name", "x")

    assert ran.code == 2
    assert "--sender" in ran.err
    assert not stub.asked


def test_list_and_revoke(relay: Run, stub: StubRelay) -> None:
    """Keys are listed without secrets, and revoked by id."""
    stub.on("GET /v1/keys", {"keys": [{"id": "k1", "role": "agency", "senders": ["*@a.example"]}], "next": None})
    stub.on("DELETE /v1/keys/k1", b"", status=204)

    assert "*@a.example" in relay("keys", "list").out
    assert json.loads(relay("keys", "list", "--json").out)["keys"][0]["id"] == "k1"
    assert relay("keys", "revoke", "k1").out == "revoked: k1\n"


def test_rows_say_what_a_key_may() -> None:
    """Mode, strictness, area, hazards and revocation in words."""
    full = {"id": "a", "mode": "test", "strict": True, "area": "41,74,45,80", "hazards": ["Geo"], "revoked": "2026"}
    (row, bare) = keys_sheet([full, {"id": "b", "mode": "live", "area": "x" * 100}]).rows

    assert row[3:6] == ("-", "test, strict", "41,74,45,80, Geo")
    assert row[7] == "revoked"
    assert bare[5] == "an area"


@pytest.mark.parametrize("text", ["", "41,74,45,80", '{"type": "Polygon"}', "4" * 5000])
def test_area_is_taken_as_written(text: str) -> None:
    """What is no file is an area itself, however long."""
    assert area_text(text) == text


def test_area_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A picture is no area."""
    (tmp_path / "area.png").write_bytes(b"\x89PNG\xff")
    with pytest.raises(Failed, match="area file"):
        area_text(str(tmp_path / "area.png"))
