"""The page behind a link."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from relay.cap.model import Alert, Info
from relay.messages.message import Message
from relay.messages.page import LIMIT, Answer, Standing, ack_page, style_source, unknown_page

Infos = Callable[..., Info]
Alerts = Callable[..., Alert]
Messages = Callable[..., Message]

_LONG = (
    "В результате ливней на реках Узгенского района ожидается сход селевых потоков, подъём уровня воды, размыв дорог "
    "и мостов, подтопление домов у русла.\n"
)


def _page(message: Message, standing: Standing = Standing.OPEN, answer: Answer | None = None) -> str:
    return ack_page(message, standing=standing, answer=answer)


class _Balanced(HTMLParser):
    """Reads a page and notices an element that is closed wrongly."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_whole_alert(info_of: Infos, message_of: Messages) -> None:
    """Everything the agency said is on the page, in the reader's language, under 10 KB."""
    info = info_of(description=_LONG * 3, contact="+77010000001", web="https://meteo.example/1")
    page = _page(message_of(info, note="Смена караула"))

    facts = ("МЧС", "УГРОЗА СЕЛЯ", "Сель", "Узгенский район", "Отойдите от реки", "18:00, 14 марта 2025", "14:05, 14 марта 2025",
             "подтопление домов", "+77010000001", "https://meteo.example/1", "duty@meteo.example", "Смена караула")  # fmt: skip
    assert [fact for fact in facts if fact not in page] == []
    assert '<html lang="ru-RU" dir="ltr">' in page
    assert len(page.encode()) < 10_000


def test_answering(message_of: Messages) -> None:
    """Two large buttons in one form post a digit back to the address of the page, without a script."""
    page = _page(message_of())

    assert page.count("<form") == 1
    assert re.search(r'<form method="post"[^>]*>', page)
    assert "action=" not in page
    assert re.findall(r'<button name="answer" value="(\d)"><b>\d</b> ([^<]+)</button>', page) == [
        ("1", "Получил"),
        ("2", "Нужна помощь"),
    ]
    assert "<script" not in page


def test_after_answering(message_of: Messages) -> None:
    """The page says what was answered, when, that it was late and that it can be changed."""
    answer = Answer(digit="2", late=True, at=datetime(2025, 3, 14, 9, 0, tzinfo=UTC))
    page = _page(message_of(), Standing.EXPIRED, answer)

    assert "Вы ответили: 2 Нужна помощь (15:00)" in page
    assert "Ответ можно изменить." in page
    assert "он всё равно учтён" in page
    assert 'value="2" aria-pressed="true"' in page
    assert 'value="1" aria-pressed' not in page


def test_an_unusual_answer_is_text(message_of: Messages) -> None:
    """What somebody posted is shown as text."""
    assert "<b>x" not in _page(message_of(), answer=Answer(digit="<b>x"))


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing.OPEN, None),
        (Standing.CANCELLED, "Это предупреждение отменено."),
        (Standing.EXPIRED, "Срок этого предупреждения истёк."),
        (Standing.UPDATED, "Есть более новое сообщение. Следуйте ему."),
    ],
)
def test_standing(message_of: Messages, standing: Standing, said: str | None) -> None:
    """Who opens the link late reads first that the warning no longer holds."""
    page = _page(message_of(), standing)

    if said is None:
        assert 'role="status"' not in page
    else:
        assert page.index(said) < page.index("<h1>")


def test_drill_is_first(message_of: Messages) -> None:
    """A drill says so in the title and before anything on the page."""
    page = _page(message_of(status="Exercise"), Standing.CANCELLED)

    assert "<title>УЧЕНИЯ. УГРОЗА СЕЛЯ</title>" in page
    assert re.search(r'<body><p class="status"><strong>УЧЕНИЯ\.</strong> Это не настоящее предупреждение', page)


def test_right_to_left(info_of: Infos, message_of: Messages) -> None:
    """A Persian alert is a right-to-left page; borrowed English words keep their own direction."""
    page = _page(message_of(info_of(language="fa", headline="سیل", event="سیل", instruction="بروید")))

    assert '<html lang="fa" dir="rtl">' in page
    assert '<b>1</b> <span lang="en" dir="ltr">Received</span>' in page
    assert '<span lang="en" dir="ltr">18:00, 14 March 2025</span>' in page


@pytest.mark.parametrize("language", ["ru", "kk", "ky", "en", "fa"])
@pytest.mark.parametrize("length", [10, 100, 10_000])
def test_long_alerts_stay_under_the_limit(info_of: Infos, message_of: Messages, language: str, length: int) -> None:
    """A long alert loses the end of its description and keeps its instruction; the page stays small."""
    keep = "Отойдите от реки <на> высокое & безопасное место."
    info = info_of(
        language=language, description=_LONG * length, instruction=keep, where=tuple(f"Район {n}" for n in range(length)),
        contact="&" * length, headline="Сель " * length, sender_name="М" * length,
    )  # fmt: skip
    page = _page(
        message_of(info, note=_LONG * length, status="Exercise"), Standing.EXPIRED, Answer(digit="1", late=True)
    )

    assert len(page.encode()) <= LIMIT
    assert "Отойдите от реки &lt;на&gt; высокое &amp; безопасное место." in page
    assert page.count("<button") == 2


def test_an_endless_instruction_is_cut_last(info_of: Infos, message_of: Messages) -> None:
    """Even an instruction of a megabyte leaves a page with its beginning and both buttons."""
    page = _page(message_of(info_of(instruction="<Уходите> " * 100_000)))

    assert len(page.encode()) <= LIMIT
    assert page.count("&lt;Уходите&gt;") > 100
    assert page.count("<button") == 2


def test_alert_text_is_data(info_of: Infos, message_of: Messages) -> None:
    """Markup in an alert is shown as text, and a link to a script is not offered."""
    hostile = "</style><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"
    info = info_of(
        headline=hostile,
        description=hostile,
        instruction=hostile,
        contact=hostile,
        where=(hostile,),
        web="javascript:alert(1)",
    )
    page = _page(message_of(info))

    assert "<script" not in page
    assert "<img" not in page
    assert "javascript:" not in page
    assert "{{7*7}}" in page


@pytest.mark.parametrize("status", ["Actual", "Test"])
def test_well_formed(info_of: Infos, message_of: Messages, status: str) -> None:
    """Old browsers get a page whose elements are closed in order."""
    info = info_of(description=_LONG, contact="112", web="https://meteo.example/1")
    for page in (_page(message_of(info, status=status), Standing.EXPIRED, Answer(digit="1")), unknown_page()):
        reader = _Balanced()
        reader.feed(page)

        assert (reader.wrong, reader.open) == ([], [])


def test_nothing_leaves_the_page(message_of: Messages) -> None:
    """Nothing is loaded from elsewhere, and following a link does not give the token away."""
    page = _page(message_of())

    assert '<meta name="referrer" content="no-referrer">' in page
    assert not re.search(r"\s(src|srcset|background)=|url\(|@import|<link|<iframe", page)


def test_style_source(message_of: Messages) -> None:
    """The content security policy can allow exactly this style: the hash is that of the page's own."""
    for page in (_page(message_of(status="Test")), unknown_page()):
        style = page.partition("<style>")[2].partition("</style>")[0]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

        assert style_source() == f"'sha256-{digest}'"
        assert " style=" not in page


def test_page_for_old_and_small_screens(message_of: Messages) -> None:
    """Touch targets of 64 pixels, a dark scheme, a viewport, and no width that 320 pixels do not have."""
    page = _page(message_of())

    assert "min-height:64px" in page
    assert "prefers-color-scheme:dark" in page
    assert "width=device-width" in page
    assert not re.search(r"[^-](min-)?width:\d{3,}px", page)


def test_unknown_link() -> None:
    """A link that leads nowhere has one page for all, in every language we have words for."""
    page = unknown_page()

    for word in ("This link is not valid", "Ссылка недействительна", "Сілтеме жарамсыз", "Шилтеме жараксыз"):
        assert word in page
    assert len(page.encode()) < 10_000
    assert "<form" not in page


def test_cancel_page(info_of: Infos, cancel_of: Alerts, message_of: Messages) -> None:
    """The page of a Cancel says what was withdrawn."""
    page = _page(message_of(info_of(), alert=cancel_of()))

    assert page.index("ОТБОЙ") < page.index("Сообщение 14:05 отменено") < page.index("<h1>УГРОЗА СЕЛЯ</h1>")
    assert "Отойдите" not in page
