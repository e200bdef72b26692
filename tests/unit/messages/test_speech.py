"""Text for a voice."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.messages.phrasebook import table
from relay.messages.speech import speak


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        (
            "ru",
            "МЧС: УГРОЗА СЕЛЯ, Узгенский р-н. Порывы 25 м/с, -5°C.",
            "Министерство по чрезвычайным ситуациям: угроза селя, Узгенский район. Порывы 25 метров в секунду, -5 градусов.",
        ),
        ("ru", "Подробнее: https://meteo.example/a?b=1 сейчас", "Подробнее: сейчас"),
        ("ru", "ГМС и МВД", "Г м с и м в д"),
        ("kk", "ЖЕР СІЛКІНІСІ, 5км.", "Жер сілкінісі, 5 километр."),
        ("ky", "СЕЛ КОРКУНУЧУ", "Сел коркунучу"),
        ("en", "EARTHQUAKE «big» & near. GO OUT!", "Earthquake big and near. Go out!"),
        ("en", "M5 near Almaty", "M5 near Almaty"),
    ],
)
def test_speak(language: str, text: str, said: str) -> None:
    """Capitals are calmed, known abbreviations are said, links and signs are left out."""
    assert speak(text, table(language)) == said


@given(st.text(alphabet="АБВ абв.ЖЕЛ:/htps wW-"))
def test_no_capitals_and_no_link(text: str) -> None:
    """No word of two capitals and no address is left, whatever comes in."""
    said = speak(f"{text} HTTPS://A.EXAMPLE/x", table("ru"))

    assert not re.search(r"\b[А-ЯA-Z]{2,}\b", said)
    assert "example" not in said.lower()
