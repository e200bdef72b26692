"""What a reader takes for one character stays whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.messages.graphemes import clusters, shorten

_TEXT = st.text(alphabet=st.sampled_from("aй\u0306 .🇰🇿🇺👩\u200d🚒🏽\ufe0f각ᄀ\u1161क\u094dष\r\n"), max_size=60)


@pytest.mark.parametrize(
    "cluster",
    [
        "и\u0306",
        "e\u0301\u0323",
        "👩🏽\u200d🚒",
        "👨\u200d👩\u200d👧\u200d👦",
        "🇰🇿",
        "🏴\U000e0067\U000e0062\U000e007f",
        "❤\ufe0f",
        "1\ufe0f\u20e3",
        "각",
        "\u1100\u1161\u11a8",
        "กำ",
        "क्ष",
        "\r\n",
        "\u06001",
    ],
)
def test_one_cluster(cluster: str) -> None:
    """Marks, emoji sequences, flags, syllables and conjuncts are one character each."""
    assert list(clusters(f"a{cluster}b")) == ["a", cluster, "b"]


def test_flags_pair() -> None:
    """Neighbouring flags are pairs of letters, not one long flag."""
    assert list(clusters("🇰🇿🇺🇿🇰")) == ["🇰🇿", "🇺🇿", "🇰"]


@given(_TEXT)
def test_clusters_lose_nothing(text: str) -> None:
    """The clusters joined are the text."""
    assert "".join(clusters(text)) == text


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("abc", 3, "abc"),
        ("Отойдите от реки", 14, "Отойдите от..."),
        ("Отойдите от реки", 13, "Отойдите..."),
        ("слово, слово", 9, "слово..."),
        ("оченьдлинноеслово", 8, "очень..."),
        ("🇰🇿🇺🇿🇹🇯", 5, "🇰🇿..."),
        ("abcdef", 3, ""),
    ],
)
def test_shorten(text: str, room: int, expected: str) -> None:
    """A text is cut after a word, else after a whole character, and says that it was cut."""
    assert shorten(text, lambda piece: len(piece) <= room) == expected


@given(_TEXT, st.integers(0, 60))
def test_shorten_never_cuts_a_cluster(text: str, room: int) -> None:
    """What is left fits and is made of the text's own first clusters."""
    cut = shorten(text, lambda piece: len(piece) <= room, mark="|")

    ends = [""]
    for cluster in clusters(text):
        ends.append(ends[-1] + cluster)
    assert len(cut) <= room or cut == text == ""
    assert cut in ("", text) or cut.removesuffix("|") in {end.rstrip(" ,;:.-(\r\n") for end in ends}
