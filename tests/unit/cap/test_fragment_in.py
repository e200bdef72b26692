from __future__ import annotations

import pytest

from relay.cap.fragment_in import read_fragment
from relay.cap.limits import Limits


def test_normal_form_is_stable() -> None:
    """Reading the normal form gives the normal form."""
    once = read_fragment("<p:a  xmlns:p='urn:p'><b/>&lt;<![CDATA[&]]></p:a>", Limits())

    assert once == '<p:a xmlns="" xmlns:p="urn:p"><b></b>&lt;&amp;</p:a>'
    assert read_fragment(once, Limits()) == once


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "<a>",
        "<a/><b/>",
        "<!DOCTYPE a><a/>",
        "<a>&x;</a>",
        "<a>" * 50 + "</a>" * 50,
        "<a>\ud800</a>",
        "<a " + " ".join(f'k{i}=""' for i in range(50)) + "/>",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    """What is not one plain, bounded element is not taken."""
    assert read_fragment(text, Limits()) is None
