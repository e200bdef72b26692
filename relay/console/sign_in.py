"""The page to sign in with a key."""

from __future__ import annotations

from collections.abc import Mapping

from relay.console.page import Links
from relay.console.templating import render
from relay.console.words import Say

_WORDS: Mapping[str, tuple[str, str]] = {
    "sign_in": ("Sign in", "Войти"),
    "key": ("Key", "Ключ"),
    "help": (
        "A key of an operator or approver. The first one is in admin.key in the data directory; make others with:"
        " relay keys create --role operator --name NAME",
        "Ключ оператора или утверждающего. Первый лежит в файле admin.key каталога данных; новые создаёт:"
        " relay keys create --role operator --name ИМЯ",
    ),
    "wrong": ("This key is not known, or was revoked.", "Ключ неизвестен или отозван."),
    "no_status": (
        "This key may not see the status. Use the key of an operator or approver.",
        "Этому ключу обстановка не показывается. Нужен ключ оператора или утверждающего.",
    ),
    "too_many": ("Too many tries. Wait {n} s.", "Слишком много попыток. Подождите {n} с."),
    "link_over": (
        "This sign-in link was used already, or is too old. Sign in with a key.",
        "Эта ссылка уже использована или устарела. Войдите по ключу.",
    ),
    "session_over": ("You are not signed in any more. Sign in again.", "Вход закончился. Войдите снова."),
    "forged": (
        "This form was not sent from this page. Try again here.",
        "Форма отправлена не с этой страницы. Повторите здесь.",
    ),
}


def sign_in_page(*, language: str, links: Links, said: str = "", **values: object) -> str:
    """Return the form; ``said`` is the key of a sentence above it."""
    say = Say(language, _WORDS)
    return render("sign_in.html", say=say, links=links, sentence=say(said, **values) if said else "")
