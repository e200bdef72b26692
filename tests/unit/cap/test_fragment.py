from __future__ import annotations

from relay.cap.fragment import SEPARATOR, FragmentWriter, escape_text, qualified


def test_text_is_escaped() -> None:
    """What has a meaning in XML is escaped, and a carriage return, which a parser would change."""
    assert escape_text("a<b>&\r\n") == "a&lt;b&gt;&amp;&#13;\n"


def test_names_get_their_prefix_back() -> None:
    """Expat's names become names as they were written."""
    assert qualified(SEPARATOR.join(["urn:x", "a", "p"])) == "p:a"
    assert qualified(f"urn:x{SEPARATOR}a") == "a"
    assert qualified("a") == "a"


def test_fragment_stands_on_its_own() -> None:
    """The outermost element declares all prefixes in scope and the default namespace."""
    writer = FragmentWriter({"p": "urn:p"})
    writer.start(SEPARATOR.join(["urn:p", "a", "p"]), ["k", 'v"\n'], {})
    writer.start("b", [], {"q": "urn:q"})
    writer.data("<")

    assert not writer.end()
    assert writer.end()
    assert writer.text == '<p:a xmlns="" xmlns:p="urn:p" k="v&quot;&#10;"><b xmlns:q="urn:q">&lt;</b></p:a>'
