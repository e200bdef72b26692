"""The SMS text, its shape and its budget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.adapter import Class, Hole
from relay.cap.model import Alert, Area, Info, Time
from relay.messages.holes import at_longest
from relay.messages.message import Message
from relay.messages.short import parts_allowed, sms_text
from relay.messages.sms import count

Infos = Callable[..., Info]
Alerts = Callable[..., Alert]
Messages = Callable[..., Message]

_MUDFLOW = {
    "ru-RU": {},
    "ky-KG": {
        "sender_name": "ӨКМ",
        "headline": "СЕЛ КОРКУНУЧУ",
        "event": "Сел",
        "instruction": "Суудан алыстап, бийик жерге чыгыңыз.",
        "where": ("Өзгөн району",),
    },
    "kk-KZ": {
        "sender_name": "ТЖМ",
        "headline": "ЖЕР СІЛКІНІСІ",
        "event": "Жер сілкінісі",
        "instruction": "Қайта сілкінуі мүмкін: ашық жерге шығыңыз, лифтке мінбеңіз.",
        "where": ("Алматы",),
        "until": "2025-03-14T04:30:00+06:00",
    },
    "en-US": {
        "sender_name": "Rescue",
        "headline": "EARTHQUAKE",
        "event": "Earthquake",
        "instruction": "Aftershocks are likely: go outside, do not use lifts.",
        "where": ("Almaty",),
    },
}


@pytest.mark.parametrize(
    ("language", "parts", "expected"),
    [
        (
            "ru-RU",
            2,
            "МЧС: УГРОЗА СЕЛЯ, Узгенский район. Отойдите от реки на высокое место. До 18:00. Ответ: 1 получил, 2 нужна помощь",
        ),
        (
            "ky-KG",
            2,
            "ӨКМ: СЕЛ КОРКУНУЧУ, Өзгөн району. Суудан алыстап, бийик жерге чыгыңыз. Саат 18:00гө чейин. Жооп: 1 алдым, 2 жардам керек",
        ),
        (
            "kk-KZ",
            2,
            "ТЖМ: ЖЕР СІЛКІНІСІ, Алматы. Қайта сілкінуі мүмкін: ашық жерге шығыңыз, лифтке мінбеңіз. 04:30-ға дейін. Жауап: 1 алдым, 2 көмек керек",
        ),
        (
            "en-US",
            1,
            "Rescue: EARTHQUAKE, Almaty. Aftershocks are likely: go outside, do not use lifts. Until 18:00. Answer: 1 received, 2 need help",
        ),
    ],
)
def test_the_shape(info_of: Infos, message_of: Messages, language: str, parts: int, expected: str) -> None:
    """In every language: who, what, where, do what, until when, how to answer; as short as people.md asks."""
    text = sms_text(message_of(info_of(language=language, **_MUDFLOW[language])), prefix="").fill({})

    assert text == expected
    assert count(text).parts == parts


def test_correction(info_of: Infos, cancel_of: Alerts, message_of: Messages) -> None:
    """A correction says which message was wrong, in two parts, and asks for nothing."""
    wrong = cancel_of(msg_type="Error", note="Опасности нет. Приносим извинения.")
    text = sms_text(message_of(info_of(), alert=wrong), prefix="").fill({})

    assert (
        text == "МЧС: ОШИБКА. Сообщение 14:05 неверно: УГРОЗА СЕЛЯ, Узгенский район. Опасности нет. Приносим извинения."
    )
    assert count(text).parts == 2


def test_drill_asks_only_whether_it_came(message_of: Messages) -> None:
    """In a drill nobody needs help."""
    assert sms_text(message_of(status="Exercise"), prefix="УЧЕНИЯ. ").fill({}).endswith("Ответ: 1 получил")


def test_link_where_no_reply_arrives(message_of: Messages) -> None:
    """A channel that cannot be answered carries a link instead, counted at its longest."""
    text = sms_text(message_of(two_way=False), prefix="")

    assert text.parts[-1] is Hole.ACK_URL
    assert count(at_longest(text)).parts == 2


def test_shorter_links_leave_room(message_of: Messages) -> None:
    """A deployment with short links keeps facts that a long one pushes out."""
    long, short = message_of(two_way=False), message_of(two_way=False, ack_url_length=40)

    assert "До 18:00" not in at_longest(sms_text(long, prefix=""))
    assert "До 18:00" in at_longest(sms_text(short, prefix=""))


@pytest.mark.parametrize(("klass", "parts"), [("P0", 2), ("P1", 2), ("P2", 3), ("P3", 3), ("P4", 3), ("PX", 3)])
def test_budget(klass: str, parts: int) -> None:
    """The worst news is the shortest."""
    assert parts_allowed(Class(klass)) == parts


def test_order_of_loss(info_of: Infos, message_of: Messages) -> None:
    """First further areas go, then further sentences, then until when; the first sentence and the answer stay."""
    one = "Уходите на высокое место сейчас."
    where = ("Узгенский район", "Кара-Кульджинский район", "Алайский район")

    def text(**fields: Any) -> str:
        return sms_text(message_of(info_of(where=where, **fields)), prefix="").fill({})

    assert "Узгенский район и ещё 2. " in text(instruction=one)
    assert "До 18:00" in text(instruction=one)
    long = text(instruction=f"Немедленно {one.lower()[:-1]}, не берите вещи и не ждите. Помогите соседям.")
    assert "Помогите" not in long
    assert "До 18:00" not in long
    assert "не берите вещи и не ждите." in long
    assert long.endswith("Ответ: 1 получил, 2 нужна помощь")


def test_instruction_goes_before_answer_is_cut(info_of: Infos, message_of: Messages) -> None:
    """A long first sentence stays whole: the answer goes before half a sentence is told."""
    sentence = "Немедленно отойдите от русла реки на высокое место и ни в коем случае не возвращайтесь за вещами."
    text = sms_text(message_of(info_of(instruction=sentence)), prefix="").fill({})

    assert sentence in text
    assert "Ответ" not in text


def test_cut_sentence_says_so(info_of: Infos, message_of: Messages) -> None:
    """A first sentence longer than the whole budget ends in three dots after a whole word."""
    text = sms_text(message_of(info_of(instruction="Отойдите от реки " * 40)), prefix="").fill({})

    assert text.startswith("МЧС: Сель. Отойдите от реки")
    assert text.endswith(("реки...", "от...", "Отойдите..."))
    assert count(text).parts == 2


def test_long_headline(info_of: Infos, message_of: Messages) -> None:
    """A headline that fills the message gives way to the event; without a short one it is cut, never dropped."""
    long = "Очень опасное гидрологическое явление " * 10
    by_event = sms_text(message_of(info_of(headline=long)), prefix="").fill({})
    cut = sms_text(message_of(info_of(headline=long, event=long)), prefix="УЧЕНИЯ. ").fill({})

    assert by_event.startswith("МЧС: Сель, Узгенский район. Отойдите")
    assert cut.startswith("МЧС: Очень опасное")
    assert count(f"УЧЕНИЯ. {cut}").parts == 2


_WORDS = st.text(alphabet=st.sampled_from("aЖ 😀.!{}%\n‘€й\u0306\u202e"), max_size=300)


@given(
    headline=_WORDS, event=_WORDS, instruction=_WORDS, who=_WORDS, area=_WORDS,
    klass=st.sampled_from(list(Class)), two_way=st.booleans(), status=st.sampled_from(["Actual", "Exercise"]),
)  # fmt: skip
def test_budget_holds_for_every_text(
    headline: str, event: str, instruction: str, who: str, area: str, klass: Class, two_way: bool, status: str
) -> None:
    """Whatever an agency writes, the message with its status word and longest link keeps its budget."""
    sent = Time("2025-03-14T14:05:00+06:00", datetime(2025, 3, 14, 8, 5, tzinfo=UTC))
    info = Info(
        category=("Geo",), event=event, urgency="Immediate", severity="Extreme", certainty="Observed",
        headline=headline, instruction=instruction, sender_name=who, area=(Area(area_desc=area),) * 3,
    )  # fmt: skip
    alert = Alert(
        identifier="1",
        sender="a@meteo.example",
        sent=sent,
        status=status,
        msg_type="Alert",
        scope="Public",
        info=(info,),
    )
    message = Message(alert=alert, info=info, alert_id="x", klass=klass, expires=sent.instant, two_way=two_way)
    prefix = "" if status == "Actual" else "EXERCISE. "
    text = prefix + at_longest(sms_text(message, prefix=prefix))

    assert count(text).parts <= parts_allowed(klass)
    assert "\n" not in text
    assert "\u202e" not in text
