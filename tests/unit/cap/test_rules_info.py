from __future__ import annotations

import pytest

from tests.unit.cap.samples import AREA, read, refused, rules, with_

EXPIRES = "<expires>2026-03-01T10:05:00+05:00</expires>"
RUSSIAN = "<headline>Сильное землетрясение в Алматы</headline>"


@pytest.mark.parametrize(
    ("old", "new", "rule", "strict"),
    [
        ("<language>en", "<language>english language", "CAP-013", "error"),
        ("Immediate", "Unknown", "CAP-016", "warning"),
        (EXPIRES, "", "CAP-017", "warning"),
        ("T10:05:00", "T04:05:40", "CAP-018", "error"),
        ("<expires>", "<effective>2026-03-01T11:00:00+05:00</effective><expires>", "CAP-018", "error"),
        ("<expires>", "<onset>2026-03-01T11:00:00+05:00</onset><expires>", "CAP-018", "warning"),
        (AREA, f"<headline>{'x' * 161}</headline>{AREA}", "CAP-019", "warning"),
        (AREA, f"<description>a &lt;b&gt;bold&lt;/b&gt; word</description>{AREA}", "CAP-022", "warning"),
        (AREA, f"<description>a &amp;nbsp; word</description>{AREA}", "CAP-022", "warning"),
        (AREA, "", "CAP-039", "warning"),
    ],
)
def test_rule_fires(old: str, new: str, rule: str, strict: str) -> None:
    """Each rule is a warning in lenient mode; some are errors in strict mode."""
    document = with_(old, new)

    assert rules(read(document).findings) == [(rule, "warning")]
    found = refused(document, strict=True).findings if strict == "error" else read(document, strict=True).findings
    assert rules(found) == [(rule, strict)]


def test_missing_language_is_english() -> None:
    """CAP-013: without a language CAP means en-US; Russian words under it are a warning, Russian ones under ru are not."""
    silent = with_(AREA, RUSSIAN + AREA).replace("<language>en", "<language>ru")
    missing = with_("<language>en</language>", "", document=with_(AREA, RUSSIAN + AREA))

    assert read(silent).findings == ()
    assert [(f.rule, f.severity) for f in read(missing).findings] == [("CAP-013", "warning")]
    assert "en-US" in read(missing).findings[0].message


@pytest.mark.parametrize("text", ["5 &lt; 6 &amp; 7", "a &lt; b", "R&amp;D; x"])
def test_ordinary_signs_are_no_markup(text: str) -> None:
    """CAP-022: an ampersand or a less-than sign alone is text."""
    assert read(with_(AREA, f"<description>{text}</description>{AREA}")).findings == ()
