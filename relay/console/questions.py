"""What an operator is asked before something changes: one question a page, with the words of its button on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from relay.console.alarm_words import ALARMS
from relay.console.alarms import name_of
from relay.console.figures import Wall
from relay.console.page import Links
from relay.console.situation import AlertRow, Situation
from relay.console.templating import render
from relay.console.words import Say
from relay.intake.authority import Action

#: What a holder must be allowed for each question; None: anybody who is signed in.
NEEDS: Mapping[str, Action | None] = {
    "approve": Action.APPROVE,
    "reject": Action.APPROVE,
    "stop": Action.STOP,
    "resume": Action.STOP,
    "pause": Action.CHANNELS,
    "resume-channel": Action.CHANNELS,
    "sign-out": None,
}

_WORDS: Mapping[str, tuple[str, str]] = {
    "ask_approve": ("Approve this alert?", "Утвердить это предупреждение?"),
    "does_approve": ("It is sent at once to everybody it is for.", "Оно сразу уйдёт всем, кому предназначено."),
    "yes_approve": ("Approve and send", "Утвердить и отправить"),
    "ask_reject": ("Reject this alert?", "Отклонить это предупреждение?"),
    "does_reject": ("Nobody is told. This cannot be taken back.", "Никто не будет оповещён. Отменить это нельзя."),
    "yes_reject": ("Reject, tell nobody", "Отклонить, никому не отправлять"),
    "ask_stop": ("Stop everything?", "Остановить всё?"),
    "does_stop": (
        "Nothing more is sent within a second, also no flash alert. Alerts are accepted and wait.",
        "Через секунду не уйдёт больше ничего, даже P0. Предупреждения принимаются и ждут.",
    ),
    "yes_stop": ("Stop all sending", "Остановить отправку"),
    "ask_resume": ("Resume sending?", "Возобновить отправку?"),
    "does_resume": ("What waits and has not expired is sent.", "Всё, что ждёт и не истекло, будет отправлено."),
    "yes_resume": ("Resume sending", "Возобновить отправку"),
    "ask_pause": ("Pause channel {name}?", "Приостановить канал {name}?"),
    "does_pause": (
        "Its deliveries wait until it is resumed.",
        "Его сообщения ждут, пока канал не возобновят.",
    ),
    "yes_pause": ("Pause {name}", "Приостановить {name}"),
    "ask_resume-channel": ("Resume channel {name}?", "Возобновить канал {name}?"),
    "does_resume-channel": ("Its waiting deliveries are sent.", "Ждущие сообщения будут отправлены."),
    "yes_resume-channel": ("Resume {name}", "Возобновить {name}"),
    "ask_sign-out": ("Sign out?", "Выйти?"),
    "does_sign-out": ("This browser forgets the key.", "Этот браузер забудет ключ."),
    "yes_sign-out": ("Sign out", "Выйти"),
    "reason": ("Why (is kept with the decision)", "Почему (хранится вместе с решением)"),
    "alert": ("Alert", "Предупреждение"),
    "agency": ("Agency", "Ведомство"),
    "came": ("Came", "Поступило"),
    "why_held": ("Held because", "Задержано:"),
    "what": ("Status", "Статус"),
    "not_held": (
        "This alert does not wait for a decision any more.",
        "Это предупреждение больше не ждёт решения.",
    ),
    "not_here": ("There is no such channel.", "Такого канала нет."),
    "forbidden": ("Your key may not do this.", "Вашему ключу это не разрешено."),
    "forged": (
        "This form was not sent from this page. Nothing was changed. Go back and try again.",
        "Форма отправлена не с этой страницы. Ничего не изменено. Вернитесь и повторите.",
    ),
    "too_long": ("The form is too long. Nothing was changed.", "Форма слишком велика. Ничего не изменено."),
    "not_kept": (
        "The journal cannot be written. This was NOT recorded. Try again.",
        "Журнал не записывается. Решение НЕ сохранено. Повторите.",
    ),
    "half_stopped": (
        "Stopped on this machine, but the journal cannot be written: other machines may go on sending.",
        "Остановлено на этой машине, но журнал не записывается: другие машины могут отправлять.",
    ),
    "no_store": (
        "Redis does not answer. Nothing was changed. Try again.",
        "Redis не отвечает. Ничего не изменено. Повторите.",
    ),
    "refused_input": ("This cannot be done: {detail}", "Сделать это нельзя: {detail}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question; ``path`` is where its form goes, ``fields`` what it says besides the reason."""

    ask: str
    path: str
    about: str = ""
    fields: Mapping[str, str] | None = None
    alert: AlertRow | None = None


def question_of(ask: str, about: str, now: Situation) -> Question | None:
    """Return the question, None when there is nothing to be asked about: the alert was decided, no such channel."""
    match ask:
        case "approve" | "reject":
            alert = next((row for row in now.held if row.alert_id == about), None)
            path = f"/status/alerts/{quote(about, safe='')}/approval"
            return Question(ask=ask, path=path, fields={"decision": ask}, alert=alert) if alert else None
        case "pause" | "resume-channel":
            word = ask.removesuffix("-channel")
            path = f"/status/channels/{quote(about, safe='')}/{word}"
            known = any(channel.name == about for channel in now.channels)
            return Question(ask=ask, path=path, about=about) if known else None
        case "stop" | "resume" | "sign-out":
            return Question(ask=ask, path=f"/status/{ask}")
        case _:
            return None


def say_of(language: str) -> Say:
    """Return the words of these pages."""
    return Say(language, _WORDS, ALARMS)


def question_page(question: Question, *, say: Say, wall: Wall, links: Links, csrf: str) -> str:
    """Return the page that asks."""
    return render(
        "question.html",
        say=say,
        links=links,
        question=question,
        csrf=csrf,
        facts=_facts(question.alert, say, wall) if question.alert else [],
        danger=question.ask in ("approve", "reject", "stop"),
    )


def notice_page(sentence: str, *, say: Say, links: Links) -> str:
    """Return a page that says one thing and leads back."""
    return render("notice.html", say=say, links=links, sentence=sentence)


def _facts(alert: AlertRow, say: Say, wall: Wall) -> list[tuple[str, str]]:
    received = f"{wall.clock(alert.received)} · {wall.ago(alert.received)}" if alert.received else ""
    status = say.state("status", alert.status or "Actual")
    kind = say(f"kind_{alert.kind}") if alert.kind in ("Update", "Cancel") else ""
    facts = [
        (say("what"), " ".join(filter(None, (alert.klass, status, kind)))),
        (say("alert"), name_of(alert)),
        (say("agency"), alert.agency),
        (say("came"), received),
        (say("why_held"), say.state("why", alert.reason)),
    ]
    return [(name, value) for name, value in facts if value]
