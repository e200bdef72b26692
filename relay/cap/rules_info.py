"""Rules on one info: language, urgency, times, texts, area (cap-rules 13, 16–20, 22, 39)."""

from __future__ import annotations

import re

from relay.cap.lifetime import effective
from relay.cap.model import Alert, Info
from relay.cap.rules_entry import NO_HITS, Hit, Hits, Rule, found

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_LATIN = frozenset({"en", "de", "fr", "es", "pt", "it", "tr", "pl", "nl", "id"})
_CYRILLIC = frozenset({"ru", "be", "bg", "uk"})
_ARABIC = frozenset({"ar", "fa", "ps", "ur"})
_SCRIPT_OF = {
    language: script
    for script, languages in (("latin", _LATIN), ("cyrillic", _CYRILLIC), ("arabic", _ARABIC))
    for language in languages
}
_SCRIPTS = {
    "latin": re.compile(r"[A-Za-z]"),
    "cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "arabic": re.compile(r"[\u0600-\u06ff]"),
}
_HTML = re.compile(r"<(?:/?[A-Za-z][A-Za-z0-9]*|!--)[^<>]{0,200}>|&(?:[A-Za-z]{2,8}|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_LONG_HEADLINE = 160
_SAMPLE = 300


def _language_form(info: Info, _: Alert) -> Hits:
    wrong = bool(info.language) and _LANGUAGE.fullmatch(info.language) is None
    return found("language", value=info.language) if wrong else NO_HITS


def _expected_script(info: Info) -> str:
    return _SCRIPT_OF.get((info.language or "en").lower().partition("-")[0], "")


def _script(info: Info, _: Alert) -> Hits:
    expected = _expected_script(info)
    sample = f"{info.event} {info.headline} {info.description[:_SAMPLE]}"
    if not expected or (expected == "latin" and sample.isascii()):
        return NO_HITS
    if 2 * len(_SCRIPTS[expected].findall(sample)) >= len(sample):
        return NO_HITS  # most of it is as expected
    counts = {script: len(pattern.findall(sample)) for script, pattern in _SCRIPTS.items()}
    seen = max(counts, key=lambda script: counts[script])
    wrong = counts[seen] > 2 * counts[expected] and counts[seen] > 5
    return found("language", language=info.language or "en-US", script=seen.title()) if wrong else NO_HITS


def _unknown(info: Info, _: Alert) -> Hits:
    if "Unknown" not in (info.urgency, info.severity, info.certainty):
        return NO_HITS
    fields = ((name, getattr(info, name)) for name in ("urgency", "severity", "certainty"))
    return tuple(Hit(name, {"name": name}) for name, value in fields if value == "Unknown")


def _no_expires(info: Info, _: Alert) -> Hits:
    return found("") if info.expires is None else NO_HITS


def _expires_early(info: Info, alert: Alert) -> Hits:
    if info.expires is None or not alert.sent.text:
        return NO_HITS
    early = info.expires.instant <= max(alert.sent.instant, effective(alert, info))
    return found("expires", value=info.expires.text) if early else NO_HITS


def _onset_late(info: Info, _: Alert) -> Hits:
    late = info.expires is not None and info.onset is not None and info.onset.instant > info.expires.instant
    return found("onset") if late else NO_HITS


def _headline(info: Info, _: Alert) -> Hits:
    return found("headline", length=str(len(info.headline))) if len(info.headline) > _LONG_HEADLINE else NO_HITS


def _web(info: Info, _: Alert) -> Hits:
    wrong = bool(info.web) and not info.web.lower().startswith(("http://", "https://"))
    return found("web", value=info.web) if wrong else NO_HITS


def _html(info: Info, _: Alert) -> Hits:
    hits = []
    for name in ("event", "headline", "description", "instruction", "contact"):
        text = getattr(info, name)
        if ("<" in text or "&" in text) and (markup := _HTML.search(text)):
            hits.append(Hit(name, {"name": name, "value": markup.group()}))
    return hits


def _no_area(info: Info, alert: Alert) -> Hits:
    return found("") if not info.area and alert.msg_type in {"Alert", "Update"} else NO_HITS


INFO_RULES: tuple[Rule, ...] = (
    Rule(
        id="CAP-013",
        key="language-form",
        lenient="warning",
        strict="error",
        on=Info,
        check=_language_form,
        en="“{value}” is no language code. Write for example ru, kk or uz-Latn.",
        ru="«{value}» — не код языка. Пишите, например, ru, kk или uz-Latn.",
    ),
    Rule(
        id="CAP-013",
        key="language-script",
        lenient="warning",
        strict="warning",
        on=Info,
        check=_script,
        en="The language is “{language}”, but the text is in {script} script. Without <language> CAP means en-US.",
        ru="Язык — «{language}», а текст написан иначе ({script}). Без <language> в CAP подразумевается en-US.",
    ),
    Rule(
        id="CAP-016",
        key="unknown-value",
        lenient="warning",
        strict="warning",
        on=Info,
        check=_unknown,
        en="{name} is Unknown. The relay assumes the next worse; say what you know.",
        ru="{name} — Unknown. Релей предполагает худшее из близкого; укажите, что известно.",
    ),
    Rule(
        id="CAP-017",
        key="no-expires",
        lenient="warning",
        strict="warning",
        on=Info,
        check=_no_expires,
        en="There is no <expires>; the relay assumes an end.",
        ru="Нет <expires>; релей сам предполагает срок окончания.",
    ),
    Rule(
        id="CAP-018",
        key="expires-early",
        lenient="warning",
        strict="error",
        on=Info,
        check=_expires_early,
        slug="bad-expiry",
        en="expires ({value}) is not after sent and effective: the alert is over before it begins.",
        ru="expires ({value}) не позже sent и effective: предупреждение истекает раньше, чем начинается.",
    ),
    Rule(
        id="CAP-018",
        key="onset-late",
        lenient="warning",
        strict="warning",
        on=Info,
        check=_onset_late,
        slug="bad-time",
        en="onset is after expires: the message ends before the event begins.",
        ru="onset позже expires: сообщение истекает до начала события.",
    ),
    Rule(
        id="CAP-019",
        key="headline-long",
        lenient="warning",
        strict="warning",
        on=Info,
        check=_headline,
        en="The headline has {length} characters; it should have at most 160.",
        ru="В headline {length} знаков; лучше не больше 160.",
    ),
    Rule(
        id="CAP-020",
        key="web",
        lenient="warning",
        strict="error",
        on=Info,
        check=_web,
        slug="bad-uri",
        en="web “{value}” is no full http or https address; it is shown as text only.",
        ru="web «{value}» — не полный адрес http или https; показываем только как текст.",
    ),
    Rule(
        id="CAP-022",
        key="html",
        lenient="warning",
        strict="warning",
        on=Info,
        check=_html,
        en="{name} holds “{value}”: CAP texts have no markup, so people see it as it is written.",
        ru="В {name} есть «{value}»: в текстах CAP нет разметки, люди увидят её как есть.",
    ),
    Rule(
        id="CAP-039",
        key="no-area",
        lenient="warning",
        strict="warning",
        on=Info,
        check=_no_area,
        en="The info has no <area>, so the relay cannot tell whom it concerns.",
        ru="В info нет <area>: релей не может определить, кого это касается.",
    ),
)
