"""The e-mail."""

from __future__ import annotations

from collections.abc import Callable

from relay.adapter import Hole
from relay.cap.model import Alert, Info
from relay.messages.holes import template_of
from relay.messages.mail import SUBJECT, mail
from relay.messages.message import Message

Infos = Callable[..., Info]
Alerts = Callable[..., Alert]
Messages = Callable[..., Message]


def test_plain_text(info_of: Infos, message_of: Messages) -> None:
    """The text starts with what to know at once and says everything the agency said."""
    made = mail(message_of(info_of(description="Подъём воды.", contact="112", web="https://meteo.example/1")))
    text = template_of(made.text).fill({Hole.ACK_URL: "https://relay.example/a/t"})

    assert text.startswith(
        "МЧС: УГРОЗА СЕЛЯ\nУзгенский район\n\nЧто делать: Отойдите от реки на высокое место.\n\nДо: 18:00, 14 марта 2025"
    )
    for fact in (
        "Подробно: Подъём воды.",
        "Связь: 112",
        "Подробнее: https://meteo.example/1",
        "https://relay.example/a/t\n",
    ):
        assert fact in text


def test_subject_is_one_bounded_line(info_of: Infos, message_of: Messages) -> None:
    """A headline cannot add a header or fill the screen."""
    subject = mail(message_of(info_of(headline="x\r\nBcc: a@b.example\u2028y" + " слово" * 500))).subject

    assert subject.startswith("МЧС: x Bcc: a@b.example y слово")
    assert len(subject) <= SUBJECT
    assert subject.isprintable()


def test_html_is_text(info_of: Infos, message_of: Messages) -> None:
    """Markup, braces and percent signs of an alert are shown, not obeyed; a link that is none is not one."""
    hostile = "<script>alert(1)</script>{{7*7}}{x}%n\"'"
    html = mail(
        message_of(info_of(headline=hostile, description=hostile, instruction=hostile, web="javascript:alert(1)"))
    ).html

    assert "<script" not in html
    assert "javascript:" not in html
    assert "{{7*7}}{x}%n&#34;&#39;" in html


def test_html_language_and_link(info_of: Infos, message_of: Messages) -> None:
    """The page states language and direction, and the only personal thing in it is the link."""
    html = mail(
        message_of(info_of(language="fa", headline="سیل", event="سیل", instruction="بروید", sender_name="م"))
    ).html
    template = template_of(html)

    assert '<html lang="fa" dir="rtl">' in html
    assert '<span lang="en" dir="ltr">What to do</span>' in html
    assert template.holes == {Hole.ACK_URL}
    assert '<a href="https://x.example/a/1"' in template.fill({Hole.ACK_URL: "https://x.example/a/1"})


def test_own_words_need_no_span(message_of: Messages) -> None:
    """Words in the language of the text are not marked as foreign."""
    assert "<span" not in mail(message_of()).html


def test_cancel(info_of: Infos, cancel_of: Alerts, message_of: Messages) -> None:
    """A withdrawal says so in the subject and at the top of the text."""
    made = mail(message_of(info_of(), alert=cancel_of(note="Опасности нет.")))

    assert made.subject == "МЧС: ОТБОЙ. УГРОЗА СЕЛЯ, Узгенский район"
    assert made.text.startswith(
        "МЧС: ОТБОЙ. УГРОЗА СЕЛЯ\nСообщение 14:05 отменено\nУзгенский район\n\nПримечание: Опасности нет."
    )
    assert "Отойдите" not in made.text + made.html
