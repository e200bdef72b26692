"""Elements that are not CAP's, kept as XML text that stands on its own: a signature, an agency's extension."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

SEPARATOR = "\x1f"
"""Between namespace, local name and prefix in expat's names; no XML document can hold it."""

_TEXT = re.compile("[&<>\r]")
_ATTRIBUTE = re.compile('[&<>"\t\n\r]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def escape_text(text: str) -> str:
    """Return ``text`` as the content of an element."""
    return _TEXT.sub(lambda match: _ESCAPES[match.group()], text)


def _escape_attribute(text: str) -> str:
    return _ATTRIBUTE.sub(lambda match: _ESCAPES[match.group()], text)


def qualified(name: str) -> str:
    """Return ``prefix:local`` of one of expat's names."""
    parts = name.split(SEPARATOR)
    return f"{parts[2]}:{parts[1]}" if len(parts) == 3 else parts[-1]


class FragmentWriter:
    """Writes the events of one foreign element as text.

    The outermost element declares every prefix in scope and always the default namespace, so that the text means the
    same wherever it is put; reading and writing it again gives the same text.
    """

    def __init__(self, scope: Mapping[str, str]) -> None:
        self._scope = {**scope, "": scope.get("", "")}
        self._parts: list[str] = []
        self._open: list[str] = []

    @property
    def text(self) -> str:
        """What was written so far."""
        return "".join(self._parts)

    def start(self, name: str, attributes: Sequence[str], declared: Mapping[str, str]) -> None:
        """Open an element; ``attributes`` alternate names and values as expat orders them."""
        namespaces = dict(sorted(self._scope.items())) if not self._open else declared
        label = qualified(name)
        self._open.append(label)
        self._parts.append(f"<{label}")
        for prefix, uri in namespaces.items():
            self._parts.append(f' xmlns{":" if prefix else ""}{prefix}="{_escape_attribute(uri)}"')
        for key, value in zip(attributes[::2], attributes[1::2], strict=True):
            self._parts.append(f' {qualified(key)}="{_escape_attribute(value)}"')
        self._parts.append(">")

    def data(self, text: str) -> None:
        """Write character data."""
        self._parts.append(escape_text(text))

    def end(self) -> bool:
        """Close the innermost element; True when it was the outermost."""
        self._parts.append(f"</{self._open.pop()}>")
        return not self._open
