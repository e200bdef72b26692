"""The page of the first scene."""

from __future__ import annotations

from pathlib import Path

from relay.demo.report import to_html, write


def test_what_arrived_is_text() -> None:
    """Whatever stands in a message stays text on the page."""
    page = to_html(("who",), [('Bakery "Nan"',), ("<script>alert(1)</script>",)])

    assert "<script>" not in page
    assert "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>" in page
    assert "Bakery &quot;Nan&quot;" in page


def test_the_page_is_utf_8(tmp_path: Path) -> None:
    """The file is UTF-8 and says so."""
    write(tmp_path / "report.html", ("кто",), [("Жер сілкінісі",)])
    page = (tmp_path / "report.html").read_bytes().decode()

    assert '<meta charset="utf-8">' in page
    assert "<td>Жер сілкінісі</td>" in page
