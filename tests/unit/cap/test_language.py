"""Which info a person reads, and in which direction."""

from __future__ import annotations

import pytest

from relay.cap.language import best, is_rtl, primary, same_language, script, script_of


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("kk", "kk"),
        ("kk-KZ", "kk"),
        ("KK_kz", "kk"),
        ("kaz", "kk"),
        ("uz-Latn-UZ", "uz"),
        ("", "en"),
        ("  ru ", "ru"),
        ("x-LS", "x-ls"),
    ],
)
def test_primary(tag: str, expected: str) -> None:
    """A tag is read as agencies write it; an absent one is CAP's default en-US."""
    assert primary(tag) == expected


def test_same_language() -> None:
    """Country, script and code length do not make another language."""
    assert same_language("kk", "kk-KZ")
    assert same_language("uz-Latn", "uz-Cyrl")
    assert same_language("", "en-GB")
    assert not same_language("kk", "ky")


@pytest.mark.parametrize(
    ("have", "wanted", "expected"),
    [
        (["ru-RU", "kk-KZ", "en-US"], ["kk", "ru"], 1),
        (["ru-RU", "en-US"], ["kk", "ru"], 0),
        (["uz-Cyrl", "uz-Latn"], ["uz-Latn"], 1),
        (["uz-Cyrl", "uz"], ["uz-Latn"], 1),
        (["uz-Cyrl", "ru"], ["uz-Latn", "ru"], 0),
        (["uz-Latn-UZ", "uz-Cyrl-UZ"], ["uz-Cyrl"], 1),
        (["kk-KZ", "kk"], ["kk"], 1),
        (["ru", "ru"], ["ru"], 0),
        (["", "ru"], ["en"], 0),
        (["ru"], ["kk"], None),
        (["ru"], [], None),
        (["ru", ""], ["", "ru"], 0),
        ([], ["ru"], None),
    ],
)
def test_best(have: list[str], wanted: list[str], expected: int | None) -> None:
    """The first wanted language that exists wins; within it the exact tag, then the script, then the language."""
    assert best(have, wanted) == expected


def test_script() -> None:
    """A script is a four-letter part before any extension."""
    assert script("uz-latn-UZ") == "Latn"
    assert script("kk") == ""
    assert script("de-x-cyrl") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ЖЕР СІЛКІНІСІ, M 5.1", "Cyrl"),
        ("Uchqoʻrgʻon", "Latn"),
        ("زلزله در بدخشان", "Arab"),
        ("12:30 !", ""),
        ("მიწისძვრა", "Geor"),
    ],
)
def test_script_of(text: str, expected: str) -> None:
    """The commonest script of the letters tells what a text is written in."""
    assert script_of(text) == expected


@pytest.mark.parametrize(
    ("tag", "rtl"),
    [("fa", True), ("ps-AF", True), ("ar", True), ("he", True), ("kk-Arab", True), ("az-Latn", False), ("ug-Cyrl", False),
     ("ru", False), ("", False)],
)  # fmt: skip
def test_is_rtl(tag: str, rtl: bool) -> None:
    """A stated script decides before the language."""
    assert is_rtl(tag) is rtl
