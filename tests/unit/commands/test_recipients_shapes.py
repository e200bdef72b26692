"""Recipients as people read them."""

from relay.commands.recipients_shapes import (
    MOST_ERRORS,
    import_lines,
    place,
    recipient_lines,
    recipients_sheet,
    secret_lines,
)


def test_long_list_of_errors_is_cut_and_counted() -> None:
    """A wrong column in a list of a million does not fill the screen."""
    errors = [{"line": n, "path": "/id", "message": "is missing"} for n in range(1, 1001)]
    lines = import_lines({"imported": 0, "updated": 0, "failed": 5000, "errors": errors})

    assert len(lines) == MOST_ERRORS + 2
    assert lines[-1] == f"  … and {5000 - MOST_ERRORS:,} more"


def test_partial_import_says_what_to_do() -> None:
    """The good lines are stored, and importing again doubles nothing."""
    lines = import_lines({"imported": 1, "failed": 1, "errors": [{"line": 2, "message": "x"}]})

    assert lines[1] == "  line 2: x"
    assert lines[-1].startswith("the good lines are stored")


def test_place_is_a_point_or_codes() -> None:
    """Whatever the directory knows."""
    assert place({"location": {"lat": 43.24, "lon": 76.89}}) == "43.24,76.89"
    assert place({"geocodes": [{"scheme": "ISO3166-2", "value": "KZ-75"}]}) == "KZ-75"
    assert place({}) == "-"


def test_row_of_a_bare_recipient() -> None:
    """Missing fields are dashes."""
    assert recipients_sheet([{"id": "a"}]).rows == [("a", "", "-", "-", "-", "-", "-")]


def test_recipient_without_hazards_hears_of_all() -> None:
    """An empty list means all, and is said so."""
    lines = recipient_lines({"id": "a", "hazards": [], "drills": True})

    assert "hazards       all" in lines
    assert "drills        yes" in lines


def test_secret_that_was_given_is_not_repeated() -> None:
    """Only what the relay made is shown."""
    sent = {"addresses": [{"value": "u", "secret": "whsec_mine"}]}
    stored = {"addresses": [{"value": "u", "secret": "whsec_mine"}, {"value": "v", "secret": "whsec_new"}]}

    assert secret_lines(sent, stored) == ["the secret of v is shown once: whsec_new"]
