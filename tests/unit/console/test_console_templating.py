"""Templates and static files of the console."""

import re

import pytest

from relay.console.templating import STATIC, render, static, static_path
from relay.console.words import Say


@pytest.mark.parametrize("name", STATIC)
def test_static_files_load_nothing_from_elsewhere(name: str) -> None:
    """No address of another host, no import, no evaluated text."""
    text = static(name).decode()

    assert not re.search(r"https?://|@import|url\(|\beval\b|innerHTML|document\.write", text)
    assert re.fullmatch(rf"/console/static/{re.escape(name)}\?v=[0-9a-f]{{12}}", static_path(name))


@pytest.mark.parametrize("name", ["", "../pages.py", "status.html", "STATUS.CSS"])
def test_only_what_is_listed_is_given(name: str) -> None:
    """There is no path into the package."""
    with pytest.raises(KeyError):
        static(name)


def test_values_are_escaped() -> None:
    """A template cannot forget it."""
    assert "&lt;i&gt;" in render("notice.html", say=Say("en"), links=_Links(), sentence="<i>")


class _Links:
    def to(self) -> str:
        return "/status"
