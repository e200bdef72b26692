"""Links are taken from what was really sent."""

from __future__ import annotations

from pathlib import Path

from bench.e12 import tokens
from relay.fanout.ids import DeliveryRef
from relay.tracking.token import make


def test_every_text_gives_its_token(tmp_path: Path) -> None:
    """Tokens are read whole, up to what follows the link; a line without one gives none."""
    made = [make(DeliveryRef("abcdefghijklm", rank), b"secret") for rank in (0, 31, 2_000_000)]
    file = tmp_path / "texts"
    lines = [f'{{"text": "Confirm: http://127.0.0.1:9/a/{token}\\n\\nThanks"}}' for token in made]
    file.write_text("\n".join([*lines, '{"text": "nothing"}']) + "\n", encoding="utf-8")

    assert tokens(file) == made
