"""``relay validate``: offline, every finding, exit code 1 when refused."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relay.commands.alert_file import AlertFile, read
from relay.commands.validate import examine, report_lines
from relay.settings import Cap, Settings
from tests.unit.commands.conftest import Run

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
AFTER = datetime(2100, 1, 1, tzinfo=UTC)
MUDFLOW = (EXAMPLES / "mudflow.xml").read_bytes()


def check(
    body: bytes, *, media: str = "application/cap+xml", strict: bool = False, language: str = "en"
) -> dict[str, object]:
    return examine(AlertFile(body, media), settings=Settings(), strict=strict, language=language, now=BEFORE)


@pytest.mark.parametrize("name", ["mudflow.xml", "flood.json", "earthquake.xml", "exercise.xml"])
def test_our_own_examples_can_be_accepted(name: str) -> None:
    """XML and JSON, without a relay."""
    report = examine(read(EXAMPLES / name), settings=Settings(), strict=False, language="en", now=BEFORE)

    assert report["valid"]
    assert report["ended"] is None
    assert report["priority"] in {"P0", "P1", "P2", "PX"}


def test_broken_alert_is_1_with_line_and_path(cli: Run, tmp_path: Path) -> None:
    """The finding says where the agency has to look."""
    broken = tmp_path / "broken.xml"
    broken.write_bytes(MUDFLOW.replace(b"<severity>", b"<severity>Very "))
    ran = cli("validate", str(broken))

    assert ran.code == 1
    assert ran.out.startswith("refused: ")
    assert "/severity" in ran.out
    assert " line " in ran.out


def test_russian_findings_on_request() -> None:
    """--lang ru gives the Russian sentence where there is one."""
    broken = MUDFLOW.replace(b"<severity>", b"<severity>Very ")
    english, russian = (check(broken, language=language)["findings"] for language in ("en", "ru"))

    assert english != russian


def test_what_is_no_xml_is_refused() -> None:
    """Not a traceback, whatever is in the file."""
    assert not check(b"not an alert")["valid"]
    assert not check(b"{", media="application/json")["valid"]


def test_file_above_the_limit_is_refused() -> None:
    """The limit of the configuration holds offline too."""
    settings = Settings(cap=Cap(max_bytes=10))
    report = examine(
        AlertFile(MUDFLOW, "application/cap+xml"), settings=settings, strict=False, language="en", now=BEFORE
    )

    assert report["findings"][0]["message"].startswith("The file is larger than 10 bytes")


def test_alert_that_is_over_says_so() -> None:
    """An example that was kept too long is well formed and reaches nobody."""
    report = examine(
        AlertFile(MUDFLOW, "application/cap+xml"), settings=Settings(), strict=False, language="en", now=AFTER
    )

    assert any("tell nobody" in line for line in report_lines(report))


def test_machines_get_an_object(cli: Run) -> None:
    """--json has the verdict and the findings."""
    ran = cli("validate", str(EXAMPLES / "mudflow.xml"), "--json")

    assert ran.code == 0
    assert json.loads(ran.out)["valid"] is True


def test_remarks_are_counted() -> None:
    """The first line tells whether there is something to read below."""
    finding = {"rule": "CAP-019", "severity": "warning", "message": "long", "path": "", "line": None}
    report = {"valid": True, "priority": "P1", "sender": "s", "identifier": "i", "ended": None, "findings": [finding]}

    assert report_lines(report)[0] == "can be accepted as P1, with 1 remark"
