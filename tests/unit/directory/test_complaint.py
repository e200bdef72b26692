"""Complaints about a recipient's JSON."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from relay.directory.complaint import MAX_FINDINGS, describe, found, pointer, refuse


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    size: int = 0


def errors(body: str) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Thing.model_validate_json(body)
    return caught.value


def test_pointer_escapes() -> None:
    """A location is an RFC 6901 pointer, and bounded."""
    assert pointer(("addresses", 0, "a/b~c")) == "/addresses/0/a~1b~0c"
    assert pointer(()) == ""
    assert len(pointer(("x" * 1000,))) == 200


def test_number_of_findings_is_bounded() -> None:
    """Ten thousand unknown fields do not make ten thousand findings."""
    many = "{" + ",".join(f'"field{n}": 1' for n in range(10_000)) + "}"

    assert len(describe(errors(many), ["size"]).findings) == MAX_FINDINGS


def test_error_without_own_words_keeps_its_message() -> None:
    """What this file does not know is still said."""
    finding = describe(errors('{"size": "x"}'), ["size"]).findings[0]

    assert finding.path == "/size"
    assert "valid integer" in finding.message


def test_broken_json() -> None:
    """Syntax is 400 and says where."""
    refusal = describe(errors("{"), ["size"])

    assert (refusal.status, refusal.slug) == (400, "malformed-json")
    assert "line 1" in refusal.detail


def test_detail_names_the_place() -> None:
    """The detail alone is enough to find the mistake."""
    assert refuse([found("RELAY-FIELD", "missing", "/id")]).detail == "/id: this field is required"
    assert refuse([found("RELAY-FIELD", "model_type", "")]).detail == "the document: must be an object"
