"""The facts of a message in their fixed order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay.cap.model import Alert, Info
from relay.messages.facts import closed, facts_of, sentences
from relay.messages.message import Message

Infos = Callable[..., Info]
Alerts = Callable[..., Alert]
Messages = Callable[..., Message]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Идите. Не ждите!", ("Идите.", "Не ждите!")),
        ("На берегу р. Кара-Дарья опасно. Уходите", ("На берегу р. Кара-Дарья опасно.", "Уходите.")),
        ("Wind 7.5 m/s. Stay in.", ("Wind 7.5 m/s.", "Stay in.")),
        ("Go up\n* now;", ("Go up.", "* now.")),
        ("اینجا نمانید؟ بروید۔", ("اینجا نمانید؟", "بروید۔")),
        ("", ()),
        (" \n ", ()),
    ],
)
def test_sentences(text: str, expected: tuple[str, ...]) -> None:
    """Sentences end with their sign or their line, not with an abbreviation or a decimal."""
    assert sentences(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("", ""), ("a", "a."), ("a.", "a."), ("a?", "a?"), ("a;", "a.")])
def test_closed(text: str, expected: str) -> None:
    """Facts are joined as sentences."""
    assert closed(text) == expected


def test_facts(message_of: Messages) -> None:
    """Who, what, where, do what and until when come from the matched info."""
    facts = facts_of(message_of())

    assert (facts.who, facts.what, facts.areas) == ("МЧС", "УГРОЗА СЕЛЯ", ("Узгенский район",))
    assert (facts.do, facts.until) == (("Отойдите от реки на высокое место.",), "До 18:00.")
    assert (facts.change, facts.lead) == ("", "")


def test_fallbacks(info_of: Infos, message_of: Messages) -> None:
    """No sender name, headline or instruction: the sender, the event and the description's first sentences."""
    info = info_of(sender_name="", headline="", instruction="", description="Порывы 25 м/с. Снег. Гололёд.")
    facts = facts_of(message_of(info))

    assert (facts.who, facts.what) == ("duty@meteo.example", "Сель")
    assert facts.do == ("Порывы 25 м/с.", "Снег.")


def test_nothing_is_said_twice(info_of: Infos, message_of: Messages) -> None:
    """A headline that already names agency and places does not name them again."""
    facts = facts_of(
        message_of(info_of(headline="МЧС: Сель, Узгенский район.", where=("Узгенский район", "узгенский район")))
    )

    assert (facts.what, facts.areas) == ("Сель, Узгенский район", ())


def test_short_name_of_the_agency(message_of: Messages) -> None:
    """The authority register may know a shorter name."""
    assert facts_of(message_of(who="ГМС:")).who == "ГМС"


def test_cancel_does_not_repeat_the_instruction(info_of: Infos, cancel_of: Alerts, message_of: Messages) -> None:
    """Who reads "go up the mountain" in a withdrawal may go."""
    told = info_of()
    bare = facts_of(message_of(told, alert=cancel_of()))
    copied = facts_of(message_of(told, alert=cancel_of(info=(told,))))

    assert bare.do == copied.do == ()
    assert bare.until == ""
    assert bare.lead == "Сообщение 14:05 отменено"


def test_cancel_says_what_the_agency_says_now(info_of: Infos, cancel_of: Alerts, message_of: Messages) -> None:
    """The note, or the instruction of an info that is itself an all clear, is new and is told."""
    clear = info_of(response_type=("AllClear",), instruction="Возвращайтесь домой.")

    assert facts_of(message_of(info_of(), alert=cancel_of(note="Опасности нет."))).do == ("Опасности нет.",)
    assert facts_of(message_of(clear, alert=cancel_of(info=(clear,)))).do == ("Возвращайтесь домой.",)


@pytest.mark.parametrize(
    ("msg_type", "response", "word"),
    [
        ("Alert", (), ""),
        ("Update", (), "УТОЧНЕНИЕ"),
        ("Cancel", (), "ОТБОЙ"),
        ("Error", (), "ОШИБКА"),
        ("Update", ("AllClear",), "ОТБОЙ"),
    ],
)
def test_change_word(info_of: Infos, message_of: Messages, msg_type: str, response: tuple[str, ...], word: str) -> None:
    """What changed is one word."""
    assert facts_of(message_of(info_of(response_type=response), msg_type=msg_type)).change == word


def test_a_cancel_by_the_relay_names_the_agency(info_of: Infos, cancel_of: Alerts, message_of: Messages) -> None:
    """The relay's own Cancel speaks for the agency that people heard before."""
    ours = cancel_of(sender="relay@chapar.example")

    assert facts_of(message_of(info_of(), alert=ours)).who == "МЧС"
    assert facts_of(message_of(info_of(sender_name=""), alert=ours)).who == "duty@meteo.example"


def test_a_cancel_of_something_unknown(cancel_of: Alerts, message_of: Messages) -> None:
    """Without any info the message still says who withdrew what."""
    facts = facts_of(message_of(alert=cancel_of(note="Test")))

    assert (facts.who, facts.change, facts.lead) == (
        "duty@meteo.example",
        "CANCELLED",
        "The message of 14:05 is withdrawn",
    )
