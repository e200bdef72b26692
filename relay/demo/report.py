"""The page of the first scene: every delivery in one table, for a browser."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

_STYLE: Final = (
    "body{font:16px/1.4 system-ui,sans-serif;margin:1rem auto;max-width:75rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #bbb;padding:.4rem;text-align:left;"
    "vertical-align:top}"
)


def to_html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the page; everything in it is text."""
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Chapar demo: who was told</title>\n<style>{_STYLE}</style>\n"
        "<h1>The earthquake of the demo: who was told</h1>\n"
        "<p>Texts are those that the receivers on this machine decoded; nothing left it.</p>\n"
        f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</html>\n"
    )


def write(path: Path, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write the page to ``path``."""
    path.write_text(to_html(head, rows), encoding="utf-8")
