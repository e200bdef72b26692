"""Signatures are those of Standard Webhooks 1.0, with the project's own library as the judge."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Oracle

from adapters.webhook.signature import keys_of, sign

SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes....").decode()
OTHER = "whsec_" + b64encode(b"another secret of 32 bytes .....").decode()


@given(
    body=st.text(), message_id=st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1), at=st.integers(0, 2**33)
)
def test_equals_the_reference_library(body: str, message_id: str, at: int) -> None:
    """Our signature is the reference library's, byte for byte."""
    expected = Oracle(SECRET).sign(message_id, datetime.fromtimestamp(at, UTC), body)
    ours = sign(keys_of(SECRET), message_id=message_id.encode(), timestamp=b"%d" % at, body=body.encode())

    assert ours.decode("ascii") == expected


def test_both_secrets_sign_while_rotating() -> None:
    """A receiver that still has the old secret, and one that has the new, both accept."""
    both = sign(keys_of(f"{SECRET} {OTHER}"), message_id=b"m", timestamp=b"1", body=b"{}")

    assert both.split() == [sign(keys_of(s), message_id=b"m", timestamp=b"1", body=b"{}") for s in (SECRET, OTHER)]


def test_prefix_is_optional() -> None:
    """A secret without ``whsec_`` is the same secret."""
    assert keys_of(SECRET) == keys_of(SECRET.removeprefix("whsec_"))


@pytest.mark.parametrize(
    "secret",
    ["", " ", "whsec_", "whsec_###", "whsec_YQ", "пароль", f"{SECRET} whsec_", "whsec_YQ==YQ==", "whsec_Y Q=="],
)
def test_unreadable_secrets_are_errors(secret: str) -> None:
    """Nothing is signed with an empty or broken key."""
    with pytest.raises(ValueError, match=r"."):
        keys_of(secret)
