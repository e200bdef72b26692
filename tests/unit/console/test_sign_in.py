"""The page to sign in."""

from relay.console.page import Links
from relay.console.sign_in import sign_in_page


def test_the_form_asks_for_a_key_and_says_where_to_get_one() -> None:
    """A new operator finds the first key without a manual; browsers do not show what is typed."""
    html = sign_in_page(language="en", links=Links())

    assert 'type="password"' in html
    assert "admin.key" in html
    assert 'action="/status/sign-in"' in html
    assert 'class="err"' not in html


def test_what_went_wrong_is_said_in_the_reader_s_language() -> None:
    """With the numbers in it, and the chosen language kept."""
    html = sign_in_page(language="ru", links=Links(lang="ru"), said="too_many", n="12")

    assert "Подождите 12 с." in html
    assert 'action="/status/sign-in?lang=ru"' in html
    assert '<html lang="ru">' in html
