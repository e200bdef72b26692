"""What an alarm says, and what to do about it, in English and Russian."""

from __future__ import annotations

from collections.abc import Mapping

ALARMS: Mapping[str, tuple[str, str]] = {
    "held_title": ("WAITS FOR A DECISION", "ЖДЁТ РЕШЕНИЯ"),
    "held_todo": (
        "Nobody has been told. Read it, then approve or reject it.",
        "Никому не отправлено. Прочтите и решите: утвердить или отклонить.",
    ),
    "held_more": ("More wait for a decision: {n}", "Ещё ждут решения: {n}"),
    "held_more_todo": ("See them with: relay alerts list --state held", "Список: relay alerts list --state held"),
    "nobody_title": ("MATCHED NOBODY", "НИКОМУ НЕ ПОДОШЛО"),
    "nobody_todo": (
        "Nobody was told. Ask the agency about the area; warn by telephone.",
        "Никто не оповещён. Уточните территорию у ведомства; оповестите по телефону.",
    ),
    "refused_title": ("{agency}: refused {n} ×", "{agency}: отказано {n} ×"),
    "refused_todo": (
        "Nobody was warned. Telephone the agency.",
        "Никто не предупреждён. Позвоните в ведомство.",
    ),
    "channel_title": ("Channel {name} is failing", "Канал {name}: сбои"),
    "channel_todo": (
        "Deliveries wait or go another way. Call the provider, or pause the channel.",
        "Сообщения ждут или идут другим путём. Позвоните провайдеру или приостановите канал.",
    ),
    "stopped_title": ("SENDING IS STOPPED", "ОТПРАВКА ОСТАНОВЛЕНА"),
    "stopped_todo": (
        "Alerts are accepted, nobody is told. Resume when it is safe.",
        "Предупреждения принимаются, никто не оповещается. Возобновите, когда можно.",
    ),
    "redis_title": ("Redis does not answer", "Redis не отвечает"),
    "redis_todo": (
        "Alerts are accepted and kept, nobody is told now. Run: relay doctor",
        "Предупреждения принимаются и хранятся, сейчас никто не оповещается. Выполните: relay doctor",
    ),
    "pending_title": ("Accepted, not sent out yet: {n}", "Принято, ещё не передано в отправку: {n}"),
    "pending_todo": (
        "They are safe in the journal. If the number does not fall, run: relay doctor",
        "Они целы в журнале. Если число не падает, выполните: relay doctor",
    ),
    "journal_title": ("The journal cannot be written", "Журнал не записывается"),
    "journal_todo": (
        "Alerts are refused with 503. Check the disk: relay doctor",
        "Предупреждения отклоняются с 503. Проверьте диск: relay doctor",
    ),
    "damaged_title": ("The journal is damaged: {names}", "Журнал повреждён: {names}"),
    "damaged_todo": (
        "Keep the files. Restore them from the other copy, or call the integrator.",
        "Сохраните файлы. Восстановите их из копии или вызовите системного администратора.",
    ),
    "worker_title": ("Workers alive: {n} of {m}", "Рабочих процессов живо: {n} из {m}"),
    "worker_none_title": ("NO WORKER IS ALIVE", "НЕТ РАБОЧИХ ПРОЦЕССОВ"),
    "worker_todo": (
        "Nobody sends. See the log, or start one: relay serve",
        "Отправлять некому. Смотрите журнал событий или запустите: relay serve",
    ),
    "worker_some_todo": (
        "The others take over its work. If it does not come back, see the log.",
        "Его работу берут остальные. Если не вернётся, смотрите журнал событий.",
    ),
    "clock_title": ("Our clock cannot be trusted", "Нашим часам нельзя верить"),
    "clock_todo": (
        "Nothing is called expired meanwhile. Set the clock of this machine.",
        "Пока ничто не считается истёкшим. Поправьте часы этой машины.",
    ),
    # Why an alert is held.
    "why_no_usable_area": ("it has no usable area", "нет пригодной территории"),
    "why_outside_jurisdiction": ("outside the agency's territory", "вне территории ведомства"),
    "why_jurisdiction_unknown": (
        "its codes cannot be compared with the agency's territory",
        "коды не сравнить с территорией ведомства",
    ),
    "why_outside_hazards": ("not a hazard of this agency", "не та опасность для этого ведомства"),
    "why_clock_doubt": ("expired by its own times: wrong clock?", "истекло по своим часам: часы неверны?"),
    "why_own_clock_doubt": ("our own clock is in doubt", "наши часы под сомнением"),
    "why_private_without_addresses": ("it does not say whom it is for", "не указано, кому"),
    "why_restricted_without_addresses": ("it does not say whom it is for", "не указано, кому"),
    "why_ambiguous_reference": ("its reference fits several alerts", "ссылка подходит к нескольким"),
    "why_foreign_reference": ("it refers to another agency's alert", "ссылка на чужое предупреждение"),
    "why_drill_and_real": ("it mixes a drill with a real alert", "смешаны учебное и настоящее"),
    "why_integrity": ("its stored content does not match", "содержание в хранилище не совпадает"),
    "why_plan_failed": ("the relay could not work out whom to tell", "не удалось определить получателей"),
}
