"""What README and the pages for newcomers tell people to type is typed, and says what they show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.acceptance.pages import Reader, Step, missing, section, steps
from tests.acceptance.relay_side import ROOT

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the pages are for people with curl")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_first_alert_of_the_readme(tmp_path: Path) -> None:
    """Five minutes with the README end with five messages, as it shows them."""
    with Reader(tmp_path) as reader:
        wrong = reader.read(section(page("README.md"), "Your first alert in five minutes"))

    assert wrong == {}


def test_pages_with_curl_alone(tmp_path: Path) -> None:
    """Post, repeat, watch, acknowledge, cancel; then as an agency that is refused too: all answers are as shown."""
    with Reader(tmp_path) as reader:
        wrong = reader.read(page("docs/first-alert.md")) | reader.read(page("docs/agency.md"))

    assert wrong == {}


def test_page_that_lies_is_found() -> None:
    """A line that the commands did not say is missing; ids, times and what is left out may differ."""
    text = '```sh\nrun\n```\n```json\n{"id":"ilj5zimw5assrnrzhdapjr2k44",…"state":"held"}\n```\n'
    (step,) = steps(text)
    said = '{"id":"o4dwmw5l6rnkbqx6j5j7r3qtlt","sent":"2026-11-22T01:46:22+06:00","state":"held"}'

    assert step == Step("run\n", ('{"id":"ilj5zimw5assrnrzhdapjr2k44",…"state":"held"}',))
    assert missing(step, said) == []
    assert missing(step, said.replace("held", "accepted")) == list(step.shown)
