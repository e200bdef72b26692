from __future__ import annotations

from relay.cap.canonical_xml import canonical_fragment


def test_only_the_content_counts() -> None:
    """Prefixes, attribute order and spaces between elements do not count; words, attributes and nesting do."""
    one = canonical_fragment('<a:x xmlns:a="urn:a" p="1" q="2"><a:y>w</a:y></a:x>')

    assert one == canonical_fragment('<x q="2" p="1" xmlns="urn:a">\n <y>w</y> </x>')
    assert one != canonical_fragment('<x q="2" p="1" xmlns="urn:a"><y>v</y></x>')
    assert one != canonical_fragment('<x q="2" p="1" xmlns="urn:a"><y/>w</x>')
