"""The words of problems."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from relay.api.problem_words import PROBLEMS, refused_title
from relay.cap.rules import RULES


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "1 ошибка"), (2, "2 ошибки"), (5, "5 ошибок"), (11, "11 ошибок"), (21, "21 ошибка"), (112, "112 ошибок")],
)
def test_russian_plurals(count: int, words: str) -> None:
    """Numbers govern their noun."""
    assert refused_title(count).title_ru.endswith(words)


def test_every_slug_has_its_words() -> None:
    """Whatever problem the code or a rule names has a title in both languages."""
    slugs = used_slugs() | {rule.slug for rule in RULES}

    assert len(slugs) > 30
    assert not slugs - set(PROBLEMS)
    assert all(words.title and words.title_ru for words in PROBLEMS.values())


def used_slugs() -> set[str]:
    """Return every slug that the code names."""
    named = re.compile(r'(?:refuse|InvalidInput|InvalidAlert|Problem)\(\s*(?:slug=)?"([a-z0-9-]+)"')
    return {
        slug
        for room in ("api", "intake", "directory", "console")  # those of cap are in its catalogue of rules
        for path in Path("relay", room).rglob("*.py")
        for slug in named.findall(path.read_text(encoding="utf-8"))
    }
