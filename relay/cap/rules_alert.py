"""Rules on the whole alert: who says what to whom, and which message it follows (cap-rules 1–8, 14, 24)."""

from __future__ import annotations

import re

from relay.cap.model import Alert, Info
from relay.cap.references import is_postdated, names_namesake
from relay.cap.rules_entry import NO_HITS, Hit, Hits, Rule, found

_NAME = re.compile(r"[^\s,&<]+")
_LONGEST_NAME = 1_000


def _bad_name(text: str) -> bool:
    return bool(text) and (_NAME.fullmatch(text) is None or not text.strip(".") or len(text) > _LONGEST_NAME)


def _identifier(alert: Alert, _: Alert) -> Hits:
    return found("identifier", value=alert.identifier) if _bad_name(alert.identifier) else NO_HITS


def _sender(alert: Alert, _: Alert) -> Hits:
    return found("sender", value=alert.sender) if _bad_name(alert.sender) else NO_HITS


def _draft(alert: Alert, _: Alert) -> Hits:
    return found("status") if alert.status == "Draft" else NO_HITS


def _exercise_note(alert: Alert, _: Alert) -> Hits:
    return found("status") if alert.status == "Exercise" and not alert.note else NO_HITS


def _unreferenced(alert: Alert, _: Alert) -> Hits:
    return (
        found("msgType", kind=alert.msg_type)
        if alert.msg_type in {"Update", "Cancel"} and not alert.references
        else NO_HITS
    )


def _loose_answer(alert: Alert, _: Alert) -> Hits:
    return (
        found("msgType", kind=alert.msg_type)
        if alert.msg_type in {"Ack", "Error"} and not alert.references
        else NO_HITS
    )


def _error_note(alert: Alert, _: Alert) -> Hits:
    return found("msgType") if alert.msg_type == "Error" and not alert.note else NO_HITS


def _alert_references(alert: Alert, _: Alert) -> Hits:
    return found("references") if alert.msg_type == "Alert" and bool(alert.references) else NO_HITS


def _namesakes(alert: Alert, _: Alert) -> Hits:
    return found("references") if any(names_namesake(alert, reference) for reference in alert.references) else NO_HITS


def _postdated(alert: Alert, _: Alert) -> Hits:
    if not alert.sent.text:
        return NO_HITS
    return found("references") if any(is_postdated(alert, reference) for reference in alert.references) else NO_HITS


def _restricted(alert: Alert, _: Alert) -> Hits:
    return found("scope") if alert.scope == "Restricted" and not alert.restriction else NO_HITS


def _restriction(alert: Alert, _: Alert) -> Hits:
    stray = bool(alert.restriction) and alert.scope in {"Public", "Private"}
    return found("restriction", scope=alert.scope) if stray else NO_HITS


def _private(alert: Alert, _: Alert) -> Hits:
    return found("scope") if alert.scope == "Private" and not alert.addresses else NO_HITS


def _no_info(alert: Alert, _: Alert) -> Hits:
    missing = not alert.info and alert.msg_type in {"Alert", "Update"} and alert.scope == "Public"
    return found("", kind=alert.msg_type) if missing else NO_HITS


def _primary(info: Info) -> str:
    return (info.language or "en-US").lower().partition("-")[0]


def _same_text(alert: Alert, _: Alert) -> Hits:
    if len(alert.info) < 2:
        return NO_HITS
    languages: dict[str, str] = {}
    for info in alert.info:
        if info.description and languages.setdefault(info.description, _primary(info)) != _primary(info):
            return (Hit("info", {"one": languages[info.description], "other": _primary(info)}),)
    return NO_HITS


def _disagreeing(alert: Alert, _: Alert) -> Hits:
    if len(alert.info) < 2:
        return NO_HITS
    first = alert.info[0]
    category, code = set(first.category), set(first.event_code)
    differ = any(set(info.category) != category or set(info.event_code) != code for info in alert.info)
    return found("info") if differ else NO_HITS


ALERT_RULES: tuple[Rule, ...] = (
    Rule(
        id="CAP-001",
        key="identifier",
        lenient="error",
        strict="error",
        on=Alert,
        check=_identifier,
        en="The identifier “{value}” cannot be used: no spaces, commas, “<”, “&”, not only dots, up to 1000 letters.",
        ru="Идентификатор «{value}» не годится: без пробелов, запятых, «<» и «&», не только точки, до 1000 знаков.",
    ),
    Rule(
        id="CAP-002",
        key="sender",
        lenient="error",
        strict="error",
        on=Alert,
        check=_sender,
        en="The sender “{value}” cannot be used: no spaces, commas, “<”, “&”, not only dots, up to 1000 letters.",
        ru="Отправитель «{value}» не годится: без пробелов, запятых, «<» и «&», не только точки, до 1000 знаков.",
    ),
    Rule(
        id="CAP-005",
        key="draft",
        lenient="error",
        strict="error",
        on=Alert,
        check=_draft,
        en="status is Draft: a draft is never sent out. Use Actual, or Test or Exercise for a drill.",
        ru="status — Draft: черновик никогда не рассылается. Укажите Actual, а для учений — Test или Exercise.",
    ),
    Rule(
        id="CAP-005",
        key="exercise-note",
        lenient="warning",
        strict="warning",
        on=Alert,
        check=_exercise_note,
        en="An Exercise should name the exercise in <note>.",
        ru="Для учений (Exercise) назовите их в <note>.",
    ),
    Rule(
        id="CAP-006",
        key="unreferenced",
        lenient="warning",
        strict="error",
        on=Alert,
        check=_unreferenced,
        en="{kind} without references: the relay cannot be sure which alert is meant.",
        ru="{kind} без references: релей не может быть уверен, о каком предупреждении речь.",
    ),
    Rule(
        id="CAP-006",
        key="answer-unreferenced",
        lenient="warning",
        strict="warning",
        on=Alert,
        check=_loose_answer,
        en="{kind} without references: it does not say which message it answers.",
        ru="{kind} без references: не сказано, на какое сообщение это ответ.",
    ),
    Rule(
        id="CAP-006",
        key="error-note",
        lenient="warning",
        strict="warning",
        on=Alert,
        check=_error_note,
        en="An Error should say in <note> what was wrong.",
        ru="Для Error объясните в <note>, что было не так.",
    ),
    Rule(
        id="CAP-006",
        key="alert-references",
        lenient="warning",
        strict="warning",
        on=Alert,
        check=_alert_references,
        en="msgType is Alert, yet it has references. Use Update or Cancel to change an earlier message.",
        ru="msgType — Alert, но есть references. Чтобы изменить прежнее сообщение, укажите Update или Cancel.",
    ),
    Rule(
        id="CAP-007",
        key="reference-namesake",
        lenient="warning",
        strict="warning",
        on=Alert,
        check=_namesakes,
        en="A reference has this alert's own identifier with another sent. Give every message its own identifier.",
        ru="Ссылка содержит этот же identifier с другим sent. Давайте каждому сообщению свой identifier.",
        slug="bad-reference",
    ),
    Rule(
        id="CAP-007",
        key="reference-postdated",
        lenient="warning",
        strict="error",
        on=Alert,
        check=_postdated,
        en="A reference is to a message sent later than this one.",
        ru="Ссылка ведёт на сообщение, отправленное позже этого.",
        slug="bad-reference",
    ),
    Rule(
        id="CAP-008",
        key="restricted",
        lenient="error",
        strict="error",
        on=Alert,
        check=_restricted,
        en="scope is Restricted, so <restriction> must say who may be told.",
        ru="scope — Restricted, поэтому в <restriction> должно быть сказано, кому можно сообщать.",
    ),
    Rule(
        id="CAP-008",
        key="restriction",
        lenient="error",
        strict="error",
        on=Alert,
        check=_restriction,
        en="<restriction> is given, but scope is {scope}. Use Restricted, or remove the restriction.",
        ru="Задан <restriction>, но scope — {scope}. Укажите Restricted или уберите ограничение.",
    ),
    Rule(
        id="CAP-008",
        key="private",
        lenient="error",
        strict="error",
        on=Alert,
        check=_private,
        en="scope is Private, so <addresses> must name who is to be told.",
        ru="scope — Private, поэтому в <addresses> должно быть указано, кому сообщить.",
    ),
    Rule(
        id="CAP-024",
        key="no-info",
        lenient="error",
        strict="error",
        on=Alert,
        check=_no_info,
        en="A public {kind} needs at least one <info>: without it there is nothing to tell.",
        ru="Для публичного {kind} нужен хотя бы один <info>: иначе сообщать нечего.",
    ),
    Rule(
        id="CAP-014",
        key="same-text",
        lenient="warning",
        strict="warning",
        on=Alert,
        check=_same_text,
        en="The descriptions in “{one}” and “{other}” are the same text. Is a translation missing?",
        ru="Описания на «{one}» и «{other}» совпадают. Не забыт ли перевод?",
    ),
    Rule(
        id="CAP-014",
        key="disagreeing",
        lenient="warning",
        strict="warning",
        on=Alert,
        check=_disagreeing,
        en="The infos differ in category or eventCode. Infos of one alert should be about one event.",
        ru="У разных info разные category или eventCode. Они должны описывать одно событие.",
    ),
)
