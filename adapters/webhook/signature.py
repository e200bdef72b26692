"""Signing as Standard Webhooks 1.0 says: HMAC-SHA256 over ``id.timestamp.body`` with every live secret."""

from __future__ import annotations

import hmac
from binascii import a2b_base64, b2a_base64

_PREFIX = "whsec_"


def keys_of(secrets: str) -> tuple[bytes, ...]:
    """Return the keys in ``secrets``: one or more ``whsec_…`` separated by spaces (old and new while rotating).

    Raises:
        ValueError: a secret is not base64, or there is none.
    """
    keys = tuple([a2b_base64(secret.removeprefix(_PREFIX), strict_mode=True) for secret in secrets.split()])
    if not keys or not all(keys):
        raise ValueError("a signing secret is empty")
    return keys


def sign(keys: tuple[bytes, ...], *, message_id: bytes, timestamp: bytes, body: bytes) -> bytes:
    """Return the value of ``webhook-signature``: one ``v1,…`` for each of ``keys`` (see :func:`keys_of`).

    ``timestamp`` is in whole seconds since the epoch, as text.
    """
    signed = b"%b.%b.%b" % (message_id, timestamp, body)
    return b" ".join([b"v1," + b2a_base64(hmac.digest(key, signed, "sha256"), newline=False) for key in keys])
