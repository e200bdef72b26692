"""Problem documents as people read them."""

from relay.commands.problem import finding_lines, problem_lines


def test_problem_says_what_happened_and_every_finding() -> None:
    """Title, detail, then each finding with its rule, line and path."""
    lines = problem_lines(
        {
            "title": "The alert is refused: 1 error",
            "status": 422,
            "detail": "Nothing was stored and nobody was told.",
            "errors": [
                {
                    "rule": "CAP-031",
                    "severity": "error",
                    "message": "The first number is the latitude.",
                    "path": "/alert/info[1]/area[1]/polygon[1]",
                    "line": 41,
                }
            ],
            "findings": [{"rule": "CAP-019", "severity": "warning", "message": "long", "path": "", "line": None}],
        }
    )

    assert lines == [
        "The alert is refused: 1 error (422)",
        "Nothing was stored and nobody was told.",
        "  error CAP-031 line 41: The first number is the latitude.",
        "      /alert/info[1]/area[1]/polygon[1]",
        "  warning CAP-019: long",
    ]


def test_problem_without_anything_is_still_a_sentence() -> None:
    """A broken document is not a traceback."""
    assert problem_lines({}) == ["The relay refused this"]
    assert problem_lines({"title": "x", "detail": "x", "errors": "nonsense"}) == ["x"]


def test_finding_without_a_rule_is_shown() -> None:
    """Findings of other inputs than alerts have no rule number."""
    assert finding_lines([{"message": "must be a number", "path": "/name"}]) == [
        "  error: must be a number",
        "      /name",
    ]
