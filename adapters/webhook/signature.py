"""Signing as Standard Webhooks 1.0 says: HMAC-SHA256 over ``id.timestamp.body`` with every live secret."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from functools import lru_cache

_PREFIX = "whsec_"


@lru_cache(maxsize=16_384)
def keys_of(secrets: str) -> tuple[bytes, ...]:
    """Return the keys in ``secrets``: one or more ``whsec_…`` separated by spaces (old and new while rotating).

    Raises:
        ValueError: a secret is not base64, or there is none.
    """
    keys = tuple(b64decode(secret.removeprefix(_PREFIX), validate=True) for secret in secrets.split())
    if not keys or not all(keys):
        raise ValueError("a signing secret is empty")
    return keys


def sign(secrets: str, *, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the value of ``webhook-signature``: one ``v1,…`` for each secret.

    ``timestamp`` is in whole seconds since the epoch, as text.

    Raises:
        ValueError: the secrets cannot be read.
    """
    signed = b"%b.%b.%b" % (message_id.encode(), timestamp.encode(), body)
    return " ".join(["v1," + b64encode(hmac.digest(key, signed, "sha256")).decode("ascii") for key in keys_of(secrets)])
