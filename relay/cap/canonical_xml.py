"""Foreign elements as values that do not depend on prefixes, attribute order or spaces between elements."""

from __future__ import annotations

from xml.parsers import expat

from relay.cap.fragment import SEPARATOR


def canonical_fragment(text: str) -> list[object]:
    """Return the events of one element of the model's ``extensions`` as nested-free JSON values."""
    events: list[object] = []
    parser = expat.ParserCreate("utf-8", SEPARATOR)
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        events.append([name, sorted(attributes.items())])

    def end(_name: str) -> None:
        events.append(None)

    def data(words: str) -> None:
        if kept := words.strip():
            events.append(kept)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.Parse(text.encode(), True)  # noqa: FBT003 - expat takes it by position only
    return events
