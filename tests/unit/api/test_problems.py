"""Problem documents, in both languages."""

from __future__ import annotations

import pytest

from relay.api.problems import Problem, findings_json, language_of, problem_of, shown
from relay.errors import (
    ConfigError,
    Finding,
    IdentifierConflict,
    InvalidAlert,
    InvalidInput,
    JournalUnavailable,
    RelayError,
    StoreUnavailable,
)

ERROR = Finding(
    rule="CAP-031", severity="error", message="Swap them.", message_ru="Поменяйте.", path="/alert/info[1]", line=41
)
FIXED = Finding(rule="CAP-016", severity="fixed", message="Z was read as +00:00.")


def test_a_refused_alert() -> None:
    """Errors come with rule, place and line; what was only repaired comes apart from them."""
    problem = problem_of(InvalidAlert("bad-polygon", "…", status=422, findings=(ERROR, FIXED)))
    document = problem.document(language="en", request_id="abc")

    assert document == {
        "type": "urn:chapar:problem:bad-polygon",
        "title": "The alert is refused: 1 error",
        "status": 422,
        "detail": "Nothing was stored and nobody was told.",
        "instance": "urn:chapar:request:abc",
        "errors": [
            {"rule": "CAP-031", "severity": "error", "message": "Swap them.", "path": "/alert/info[1]", "line": 41}
        ],
        "findings": [
            {"rule": "CAP-016", "severity": "fixed", "message": "Z was read as +00:00.", "path": "", "line": None}
        ],
    }


def test_in_russian() -> None:
    """A Russian reader gets Russian sentences where there are some, else the English one."""
    problem = problem_of(InvalidAlert("bad-polygon", "…", status=422, findings=(ERROR, FIXED)))
    document = problem.document(language="ru", request_id="abc")

    assert document["title"] == "Предупреждение не принято: 1 ошибка"
    assert document["detail"] == "Ничего не сохранено и никому не отправлено."
    assert document["errors"][0]["message"] == "Поменяйте."
    assert document["findings"][0]["message"] == "Z was read as +00:00."


@pytest.mark.parametrize(
    ("error", "slug", "status"),
    [
        (InvalidInput("sender-not-allowed", "no", status=403), "sender-not-allowed", 403),
        (IdentifierConflict("abc"), "identifier-conflict", 409),
        (JournalUnavailable("full"), "journal-unavailable", 503),
        (StoreUnavailable("away"), "store-unavailable", 503),
    ],
)
def test_errors_of_the_services(error: RelayError, slug: str, status: int) -> None:
    """Each error that answers a request has its problem; "not now" says when to come again."""
    problem = problem_of(error)
    answer = problem.response(language="en", request_id="x")

    assert (problem.slug, answer.status) == (slug, status)
    assert answer.content_type == "application/problem+json"
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_fault_of_ours_is_no_answer() -> None:
    """An error that no caller can mend is raised on."""
    with pytest.raises(ConfigError):
        problem_of(ConfigError("broken"))


def test_a_conflict_names_the_first() -> None:
    """The document of a conflict has the id of the alert that is there."""
    assert problem_of(IdentifierConflict("abc")).document(language="en", request_id="x")["existing"] == "abc"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("ru", "ru"),
        ("ru-KZ,ru;q=0.9,en;q=0.8", "ru"),
        ("en-US,en;q=0.9,ru;q=0.8", "en"),
        ("kk, ru;q=0.5, en;q=0.1", "ru"),
        ("kk", "en"),
        ("ru;q=0", "en"),
        ("ru;q=x", "en"),
        ("RU;Q=1", "ru"),
    ],
)
def test_the_language_of_the_reader(header: str | None, language: str) -> None:
    """Accept-Language is read by its qualities; English is for all others."""
    assert language_of(header) == language


def test_what_was_sent_is_shown_harmlessly() -> None:
    """At most 64 printable ASCII characters of an input are ever repeated."""
    text = shown("\x1b[2J<b>опасно\n" + "a" * 200)

    assert len(text) <= 64
    assert text.isascii()
    assert text.isprintable()


def test_problems_without_findings_have_no_errors() -> None:
    """A problem that is about no part of a document lists none."""
    document = Problem(slug="not-found", status=404).document(language="en", request_id="x")

    assert "errors" not in document
    assert findings_json([], language="ru") == []
