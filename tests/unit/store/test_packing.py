"""What is packed comes back, whatever its length."""

import random
import zlib

import pytest

from relay.store.packing import pack


@pytest.mark.parametrize("length", [0, 1, 4000, 8192, 8193, 40_000, 1_000_000])
def test_packed_comes_back(length: int) -> None:
    """Small and large bodies are read by the library's own function, and a repetition far back is still used."""
    half = random.Random(length).randbytes(length // 2)
    packed = pack(half + half)

    assert zlib.decompress(packed) == half + half
    assert length > 60_000 or len(packed) < 0.6 * length + 50
