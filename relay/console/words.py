"""What the operators' pages say, in English and Russian."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "ru")

# key: English, Russian
_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Status", "Обстановка"),
    "now": ("NOW", "СЕЙЧАС"),
    "data_before": ("figures", "данным"),
    "data_after": ("old", ""),
    "live": ("live", "связь есть"),
    "not_live": ("old", "устарела"),
    "stop_all": ("Stop everything", "Остановить всё"),
    "sign_out": ("Sign out", "Выйти"),
    "signed_in_as": ("Signed in: {name}", "Вход: {name}"),
    "other_language": ("Русский", "English"),
    "no_connection": ("No connection since {}. The figures are old.", "Нет связи с {}. Данные устарели."),
    "figures_old": (
        "The figures are from {time}: {age} old. What happened since is not shown.",
        "Данные на {time}, им {age}. Что было после, здесь не показано.",
    ),
    "figures_unknown": ("The age of the figures is not known.", "Возраст данных неизвестен."),
    "nobody_knows": ("not known", "неизвестно"),
    # Four questions.
    "waiting": ("Waiting for you", "Ждёт вас"),
    "waiting_none": ("nothing", "ничего"),
    "waiting_oldest": ("for", "уже"),
    "maybe_more": ("and maybe more", "и, возможно, ещё"),
    "not_told": ("Not told", "Не оповещены"),
    "not_told_none": ("nobody", "никто"),
    "broken": ("Failing", "Сбои"),
    "broken_of": ("all {n} channels work", "каналы в порядке: {n}"),
    "page": ("This page", "Эта страница"),
    # Sections.
    "alarms": ("To do", "Требует действий"),
    "calm": ("Nothing waits for you.", "Вас ничего не ждёт."),
    "alerts": ("Alerts", "Предупреждения"),
    "alerts_none": ("No alerts.", "Предупреждений нет."),
    "more": ("and more: {n}", "и ещё: {n}"),
    "waits_above": ("wait for a decision: {n}, see above", "ждут решения: {n}, см. выше"),
    "classes": ("Queue", "Очередь"),
    "class": ("class", "класс"),
    "queued": ("queued", "в очереди"),
    "oldest": ("oldest", "старшему"),
    "channels": ("Channels", "Каналы"),
    "channels_none": ("No worker has told about its channels.", "Сведений о каналах нет."),
    "per_second": ("{rate}/s", "{rate}/с"),
    "last_error": ("last error", "последней ошибке"),
    "refused": ("Refused in the last hour", "Отказано за час"),
    "refused_none": ("Nothing was refused.", "Отказов нет."),
    "would_be": ("would have been {class}", "было бы {class}"),
    "times": ("{n} ×", "{n} ×"),
    "system": ("System", "Система"),
    "held": ("Held", "Ждут решения"),
    "redis": ("Redis", "Redis"),
    "journal": ("Journal", "Журнал"),
    "workers": ("Workers", "Рабочие процессы"),
    "sending": ("Sending", "Отправка"),
    "clock_word": ("Clock", "Часы"),
    "answers": ("answers", "отвечает"),
    "no_answer": ("does not answer", "не отвечает"),
    "pending": ("not applied yet: {n}", "ещё не применено: {n}"),
    "fsync": ("fsync {ms} ms", "fsync {ms} мс"),
    "fsync_p99": ("99 %: {ms} ms", "99 %: {ms} мс"),
    "no_error": ("no error", "ошибок нет"),
    "damaged": ("damaged files: {n}", "повреждено файлов: {n}"),
    "goes_on": ("goes on", "идёт"),
    "is_stopped": ("STOPPED", "ОСТАНОВЛЕНА"),
    "trusted": ("agrees", "верны"),
    "not_trusted": ("cannot be trusted", "верить нельзя"),
    "fresh": ("heard < 5 s ago", "отклик < 5 с назад"),
    "in_hand": ("in hand: {n}", "в работе: {n}"),
    "none": ("none", "нет"),
    "people": ("{n} people", "{n} чел."),
    # Five words and one.
    "acknowledged": ("acknowledged", "подтвердили"),
    "received": ("received", "получили"),
    "on the way": ("on the way", "в пути"),
    "not reached": ("not reached", "не дошло"),
    "unknown": ("unknown", "неизвестно"),
    "not sent": ("not sent", "не отправляли"),
    # States of an alert, of a channel.
    "state_accepted": ("being planned", "готовится"),
    "state_held": ("waits for a decision", "ждёт решения"),
    "state_active": ("being sent", "отправляется"),
    "state_completed": ("done", "завершено"),
    "state_cancelled": ("cancelled", "отменено"),
    "state_superseded": ("replaced by an update", "заменено обновлением"),
    "state_expired": ("expired", "истекло"),
    "state_rejected": ("rejected", "отклонено"),
    "channel_ok": ("works", "работает"),
    "channel_paused": ("PAUSED", "ПРИОСТАНОВЛЕН"),
    "channel_failing": ("FAILING", "СБОИ"),
    "channel_stopped": ("stopped with all", "остановлен со всеми"),
    "channel_unknown": ("not known", "неизвестно"),
    "kind_Update": ("UPDATE", "ОБНОВЛЕНИЕ"),
    "kind_Cancel": ("CANCEL", "ОТМЕНА"),
    "status_Actual": ("ACTUAL", "БОЕВОЕ"),
    "status_Exercise": ("EXERCISE", "УЧЕНИЯ"),
    "status_Test": ("TEST", "ПРОВЕРКА"),
    "status_System": ("SYSTEM", "СИСТЕМНОЕ"),
    "status_Draft": ("DRAFT", "ЧЕРНОВИК"),
    "class_P0": ("flash", "молния"),
    "class_P1": ("urgent", "срочные"),
    "class_P2": ("high", "важные"),
    "class_P3": ("normal", "обычные"),
    "class_P4": ("low", "малые"),
    "class_PX": ("drill", "учебные"),
    # Buttons.
    "approve": ("Approve…", "Утвердить…"),
    "reject": ("Reject…", "Отклонить…"),
    "show": ("Show", "Показать"),
    "resume_all": ("Resume sending…", "Возобновить отправку…"),
    "pause": ("Pause…", "Приостановить…"),
    "resume": ("Resume…", "Возобновить…"),
    "back": ("Back to the status", "Назад к обстановке"),
}


class Say:
    """The words of one language; an unknown key is shown as it is, so that a new state is never hidden."""

    def __init__(self, language: str, *tables: Mapping[str, tuple[str, str]]) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._index = LANGUAGES.index(self.language)
        self._tables = (_WORDS, *tables)

    def __call__(self, key: str, *positions: object, **values: object) -> str:
        """Return the sentence of ``key`` with ``values`` in it."""
        for table in self._tables:
            if key in table:
                sentence = table[key][self._index]
                return sentence.format(*positions, **values) if positions or values else sentence
        return key

    def state(self, prefix: str, word: str) -> str:
        """Return what a state is called, or its own word when it is not known here."""
        said = self(f"{prefix}_{word}")
        return word if said == f"{prefix}_{word}" else said
