"""Which mailboxes are written to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.email.address import is_mailbox


@pytest.mark.parametrize(
    "text",
    [
        *(
            "duty@rescue7.example",
            "a.b+tag@meteo.example",
            "o'brien@x.example",
            "a@localhost",
            "a@xn--e1afmkfd.xn--p1ai",
        ),
        *("a" * 64 + "@x.example", "A_B-1@Mail.Meteo.Example", "a@1.example"),
    ],
)
def test_plain_mailboxes(text: str) -> None:
    """What people really use is accepted."""
    assert is_mailbox(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "@",
            "a@",
            "@b",
            "a b@c.example",
            "a@b@c.example",
            "a@b..example",
            "a@.example",
            "a@b.example.",
            ".a@b.example",
        ),
        *(
            "a.@b.example",
            "a..b@c.example",
            '"a"@b.example',
            "a@[127.0.0.1]",
            "a@[::1]",
            "a@-b.example",
            "a@b-.example",
        ),
        *("a" * 65 + "@b.example", "a@" + "b" * 64 + ".example", "a@" + "b." * 127 + "example", "<a@b.example>"),
        *("a@b.example\n", "a@b.example\r\nDATA", "a\x00@b.example", "жан@b.example", "a@жан.example", "a@b_c.example"),
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    """What could be read in two ways, or carries more than an address, is not an address (BI-197, BI-199)."""
    assert not is_mailbox(text)


@given(st.text(), st.text())
def test_accepted_text_is_safe_on_the_wire(before: str, after: str) -> None:
    """Whatever is accepted is printable ASCII without brackets, spaces or quotes."""
    text = f"{before}@{after}"
    if is_mailbox(text):
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set(' <>"(),;:\\[]')
