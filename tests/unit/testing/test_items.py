"""The sample deliveries are complete."""

from __future__ import annotations

import orjson
import pytest

from relay.adapter import Kind
from relay.testing.items import TEXTS, make_item


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_all_forms_say_the_same(language: str) -> None:
    """Plain text, HTML and webhook body hold the same sentence and link."""
    item = make_item(7, kind=Kind.WEBHOOK, text=TEXTS[language])
    data = orjson.loads(item.body)["data"]

    assert item.text == f"{TEXTS[language]} https://relay.example/a/7"
    assert data == {"delivery_id": "leg0contract-7", "text": item.text}
    assert TEXTS[language] in item.html
    assert item.content.language == language
    assert item.content.rtl is (language == "fa")
