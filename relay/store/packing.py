"""The original bytes of an alert, compressed as Redis keeps them."""

from __future__ import annotations

import zlib

_SMALL = 13  # a power of two, in bytes


def pack(raw: bytes) -> bytes:
    """Return ``raw`` compressed; :func:`zlib.decompress` reads it."""
    # A window no larger than what most alerts are: to set up the largest costs twice what compressing four KB does.
    window = _SMALL if len(raw) <= 1 << _SMALL else zlib.MAX_WBITS
    packer = zlib.compressobj(wbits=window)
    return packer.compress(raw) + packer.flush()
