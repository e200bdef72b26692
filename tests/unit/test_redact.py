"""Nothing that identifies a person or opens a door stays in a log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay import redact as redaction
from relay.redact import LONGEST_FIELD, cut, mask, redact, redact_fields


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to +77010000007 now", "to +***07 now"),
        ("to +7 (701) 000-00-07.", "to +***07."),
        ("77010000007", "***07"),
        ("duty@rescue7.example", "***@rescue7.example"),
        ("<ольга@почта.example>", "<***@почта.example>"),
        ("https://agency:abc@relay.example/v1", "https://***@relay.example/v1"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("basic YWdlbmN5OmtleQ==", "basic ***"),
        ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_***"),
        ("GET /a/k7f3mq2nab55 200", "GET /a/*** 200"),
        ("x" * 43, "***"),
        ("7701000000712", "***12"),
    ],
)
def test_what_must_not_be_read_is_masked(text: str, masked: str) -> None:
    """Numbers, mailboxes, keys, secrets and acknowledgement links are masked wherever they stand."""
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T18:05:00+05:00",
        "2026-11-21T18:05:00.123456Z",
        "127.0.0.1:18080",
        "k7f3mq2nab55k7f3mq2nab55k7",
        "took 12345 ms",
        "*@meteo.example",
        "file /srv/chapar/var/redis/server.log line 12",
        "connection reset by peer",
    ],
)
def test_what_an_operator_needs_is_kept(text: str) -> None:
    """Times, ports, alert ids, paths and figures stay readable."""
    assert mask(text) == text


def test_names_that_say_secret_are_masked_whole() -> None:
    """A field called password or body is masked whatever is in it, at any depth."""
    fields = redact_fields(
        {"channel": "sms-primary", "settings": {"password": "p", "host": "smsc.example"}, "Body": "text"}
    )

    assert fields == {"channel": "sms-primary", "settings": {"password": "***", "host": "smsc.example"}, "Body": "***"}


def test_long_texts_are_cut_and_say_so() -> None:
    """No single field is longer than two KiB, and characters are never cut in half."""
    text = cut("ж" * 5000)

    assert len(text.encode()) <= LONGEST_FIELD
    assert text.endswith("(10000 bytes)")
    assert "\ufffd" not in text


def test_any_value_can_be_logged() -> None:
    """Bytes, sets, exceptions and endless nesting neither leak nor fail."""
    nested: list[object] = []
    nested.append(nested)

    assert redact(b"secret") == "6 bytes"
    assert redact({"+77010000007"}) == ["+***07"]
    assert redact(ValueError("duty@rescue7.example")) == "***@rescue7.example"
    assert "***" in str(redact(nested))
    assert redact([None, True, 3, 1.5]) == [None, True, 3, 1.5]
    assert len(str(redact(list(range(10_000))))) < 1000


@given(st.from_regex(r"[A-Za-z0-9-]{0,45}", fullmatch=True))
def test_the_short_way_hides_no_less(text: str) -> None:
    """Words and ids are let through without a look at every rule: none of them would have changed one."""
    masked = cut(text)
    for pattern, instead in redaction._RULES:
        masked = pattern.sub(instead, masked)

    assert mask(text) == masked
