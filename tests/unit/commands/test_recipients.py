"""``relay recipients``: the directory from the command line."""

import json
from pathlib import Path

import pytest

from tests.unit.commands.conftest import Run
from tests.unit.commands.stub_relay import StubRelay

ROW = {"id": "r7", "name": "Rescue squad 7", "addresses": [{"kind": "sms", "value": "+77010000007"}]}


@pytest.fixture
def people(tmp_path: Path) -> str:
    path = tmp_path / "people.ndjson"
    path.write_bytes(b"".join(json.dumps({**ROW, "id": f"r{n}"}).encode() + b"\n" for n in range(3000)))
    return str(path)


def test_import_streams_the_file(relay: Run, stub: StubRelay, people: str) -> None:
    """All bytes arrive, in pieces, as NDJSON."""
    stub.on("POST /v1/recipients/import", {"imported": 3000, "updated": 0, "failed": 0, "errors": []})
    ran = relay("recipients", "import", people)

    assert ran.code == 0
    assert ran.out == "3,000 new, 0 changed, 0 refused\n"
    assert stub.asked[0].body == Path(people).read_bytes()
    assert stub.asked[0].headers["Content-Type"] == "application/x-ndjson"
    assert stub.asked[0].headers["Transfer-Encoding"] == "chunked"


def test_bad_lines_are_1_and_listed(relay: Run, stub: StubRelay, people: str) -> None:
    """The number of each line stands beside what is wrong in it."""
    errors = [{"line": 17, "path": "/addresses/0/value", "message": "write the number in international form"}]
    stub.on("POST /v1/recipients/import", {"imported": 2999, "updated": 0, "failed": 1, "errors": errors})
    ran = relay("recipients", "import", people)

    assert ran.code == 1
    assert "  line 17 /addresses/0/value: write the number in international form" in ran.out
    assert json.loads(relay("recipients", "import", people, "--json").out)["errors"] == errors


def test_list_follows_the_cursor(relay: Run, stub: StubRelay) -> None:
    """A table for people, one page for machines."""
    stub.on("GET /v1/recipients", {"recipients": [ROW], "next": "2"})
    ran = relay("recipients", "list", "--limit", "1")

    assert "Rescue squad 7" in ran.out
    assert "+77010000007" not in ran.out
    assert "there are more" in ran.err
    assert json.loads(relay("recipients", "list", "--json").out)["next"] == "2"


def test_one_recipient_is_shown(relay: Run, stub: StubRelay) -> None:
    """With the addresses, because it was asked for by name."""
    stub.on("GET /v1/recipients/r7", ROW)

    assert "+77010000007" in relay("recipients", "show", "r7").out
    assert json.loads(relay("recipients", "show", "r7", "--json").out) == ROW


def test_put_shows_a_secret_that_was_made(relay: Run, stub: StubRelay, tmp_path: Path) -> None:
    """A webhook's secret is told once, here."""
    hook = {"kind": "webhook", "value": "https://rescue7.example/hook"}
    (tmp_path / "r7.json").write_text(json.dumps({"id": "r7", "addresses": [hook]}))
    stub.on("PUT /v1/recipients/r7", {"id": "r7", "addresses": [{**hook, "secret": "whsec_abc"}]}, status=201)
    ran = relay("recipients", "put", str(tmp_path / "r7.json"))

    assert ran.out == "created: r7\nthe secret of https://rescue7.example/hook is shown once: whsec_abc\n"
    assert "whsec_abc" in relay("recipients", "put", str(tmp_path / "r7.json"), "--json").out


@pytest.mark.parametrize("text", ["{}", '{"id": 7}', "[]", "nonsense"])
def test_file_that_is_no_recipient_is_refused_here(relay: Run, stub: StubRelay, tmp_path: Path, text: str) -> None:
    """Without an id nobody knows whom to change."""
    (tmp_path / "r.json").write_text(text)
    ran = relay("recipients", "put", str(tmp_path / "r.json"))

    assert ran.code == 1
    assert not stub.asked


def test_delete_is_confirmed(relay: Run, stub: StubRelay) -> None:
    """One who is not there is a refusal."""
    stub.on("DELETE /v1/recipients/r7", b"", status=204)

    assert relay("recipients", "delete", "r7").out == "deleted: r7\n"
    assert relay("recipients", "delete", "r8").code == 1


def test_export_goes_to_standard_output(relay: Run, stub: StubRelay) -> None:
    """Ready to be piped on, and nothing else with it."""
    stub.on("GET /v1/recipients/export", b'{"id":"r7"}\n')

    assert relay("recipients", "export").out == '{"id":"r7"}\n'


def test_export_to_a_file_is_private_and_counted(relay: Run, stub: StubRelay, tmp_path: Path) -> None:
    """A list of addresses is for its owner's eyes."""
    stub.on("GET /v1/recipients/export", b'{"id":"r7"}\n{"id":"r8"}\n')
    ran = relay("recipients", "export", str(tmp_path / "out.ndjson"))

    assert "wrote 2 recipients" in ran.err
    assert (tmp_path / "out.ndjson").stat().st_mode & 0o777 == 0o600
