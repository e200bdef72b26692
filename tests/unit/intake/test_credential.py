"""Credentials: unguessable, readable from what old systems send, and kept only as hashes."""

from __future__ import annotations

import base64

import pytest

from relay.intake.credential import digest, from_header, key_id_of, mint

KEY = "chapar_abcdefgh_" + "a2b3c4d5" * 4


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def test_a_new_credential_is_long_and_never_the_same() -> None:
    """A secret has 160 random bits and its id is in the text."""
    made = {mint() for _ in range(200)}

    assert len(made) == 200
    assert all(len(key_id_of(text)) == 8 for text in made)
    assert all(len(text.rsplit("_", 1)[1]) * 5 == 160 for text in made)


@pytest.mark.parametrize(
    "header", [f"Bearer {KEY}", f"bearer  {KEY} ", basic(f"agency:{KEY}"), basic(f":{KEY}"), basic(f"агентство:{KEY}")]
)
def test_bearer_and_basic_carry_the_key(header: str) -> None:
    """Old composers turn a URL into Basic; whatever the user name, the password is the key."""
    assert from_header(header) == KEY


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        KEY,
        f"Digest {KEY}",
        "Basic !!!!",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic ключ",
        basic("no-colon"),
        "Bearer " + "a" * 2000,
    ],
)
def test_everything_else_is_no_credential(header: str | None) -> None:
    """A missing, foreign, broken or far too long header is simply no credential (401), not an error."""
    assert from_header(header) == ""


@pytest.mark.parametrize(
    "text", ["", "chapar_", "chapar_abcdefgh_short", KEY + "a", KEY.upper(), KEY + "\n", "x" * 9999]
)
def test_only_the_exact_form_has_an_id(text: str) -> None:
    """A text that is not exactly of our form has no key id."""
    assert key_id_of(KEY) == "abcdefgh"
    assert key_id_of(text) == ""


def test_the_hash_is_stable_and_says_nothing() -> None:
    """The stored hash is SHA-256 of the whole text; lone surrogates from a header do not break it."""
    assert digest("chapar") == "e5002a178e814f86e14664644fbaf27c2746a35540a376d562d1eccc9f98e83d"
    assert digest(KEY) != digest(KEY[:-1] + "b")
    assert len(digest("\udcff\ud800")) == 64
