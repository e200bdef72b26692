"""Small JSON documents."""

from __future__ import annotations

import pytest

from relay.api.body import MediaType
from relay.api.documents import check_charset, load
from relay.api.problems import Refused


def test_clean_json() -> None:
    """A BOM and non-ASCII texts are fine."""
    assert load(b'\xef\xbb\xbf{"reason": "\xd0\xb4\xd0\xb0"}') == {"reason": "да"}


@pytest.mark.parametrize(
    ("raw", "slug"),
    [
        (b"", "malformed-json"),
        (b"{", "malformed-json"),
        (b'{"a": NaN}', "malformed-json"),
        (b'{"a": 1, "a": 2}', "duplicate-key"),
        (b'{"a": "\\ud800"}', "bad-unicode"),
        (b'{"a": "\xff"}', "bad-unicode"),
        (b"[" * 60_000, "too-deep"),
        (b"1" * 5_000, "malformed-json"),
    ],
)
def test_what_is_refused(raw: bytes, slug: str) -> None:
    """Whatever two readers of JSON would read differently is refused."""
    with pytest.raises(Refused) as refused:
        load(raw)

    assert (refused.value.problem.slug, refused.value.problem.status) == (slug, 400)


def test_json_is_utf_8() -> None:
    """Another charset is 415."""
    check_charset(MediaType("application/json", "utf-8"))
    with pytest.raises(Refused) as refused:
        check_charset(MediaType("application/json", "windows-1251"))

    assert refused.value.problem.slug == "unsupported-charset"
