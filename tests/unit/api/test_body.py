"""Bodies: inflating within bounds, and which codings are undone."""

from __future__ import annotations

import gzip

import pytest
from aiohttp.test_utils import make_mocked_request

from relay.api.body import compressed, inflate, media_type
from relay.api.problems import Refused


def slug(refused: pytest.ExceptionInfo[Refused]) -> tuple[str, int]:
    """Return the slug and status of a refusal."""
    return refused.value.problem.slug, refused.value.problem.status


def test_one_gzip_member_is_inflated() -> None:
    """What was packed comes out, up to the limit exactly."""
    assert inflate(gzip.compress(b"abc" * 100, mtime=0), limit=300) == b"abc" * 100


def test_a_bomb_stops_at_the_limit() -> None:
    """One byte beyond the limit is 413."""
    with pytest.raises(Refused) as refused:
        inflate(gzip.compress(bytes(301)), limit=300)

    assert slug(refused) == ("body-too-large", 413)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        gzip.compress(b"a", mtime=0)[:-1],
        gzip.compress(b"a", mtime=0) + b"\0",
        gzip.compress(b"a", mtime=0) * 2,
    ],
)
def test_damaged_data_is_400(data: bytes) -> None:
    """Cut, followed or foreign data is refused."""
    with pytest.raises(Refused) as refused:
        inflate(data, limit=300)

    assert slug(refused) == ("bad-content-encoding", 400)


@pytest.mark.parametrize(
    ("coding", "packed"), [("", False), ("identity", False), ("gzip", True), (" GZIP ", True), ("identity, gzip", True)]
)
def test_known_codings(coding: str, packed: bool) -> None:
    """Identity changes nothing, gzip is undone."""
    headers = {"Content-Encoding": coding} if coding else {}

    assert compressed(make_mocked_request("POST", "/", headers=headers)) is packed


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "deflate", "gzip, br"])
def test_other_codings(coding: str) -> None:
    """Everything else is 415."""
    with pytest.raises(Refused) as refused:
        compressed(make_mocked_request("POST", "/", headers={"Content-Encoding": coding}))

    assert slug(refused) == ("unsupported-content-encoding", 415)


def test_the_media_type() -> None:
    """The name is compared without case, the charset is given apart."""
    found = media_type(make_mocked_request("POST", "/", headers={"Content-Type": "Text/XML; charset=Windows-1251"}))

    assert (found.name, found.charset) == ("text/xml", "windows-1251")


def test_no_media_type() -> None:
    """A body that does not say what it is is not guessed at."""
    with pytest.raises(Refused) as refused:
        media_type(make_mocked_request("POST", "/"))

    assert slug(refused) == ("unsupported-media-type", 415)
