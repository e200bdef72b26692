"""What a verdict says to people, in English and Russian: what happened, and what to do."""

from __future__ import annotations

from relay.errors import Finding

# key: rule, English, Russian
_SENTENCES: dict[str, tuple[str, str, str]] = {
    "ahead": (
        "RELAY-CLOCK",
        "sent is {minutes} min ahead of our clock. The lifetime is counted from receipt."
        " Check the clock and the time zone of your system.",
        "sent на {minutes} мин впереди наших часов. Срок действия считаем от времени получения."
        " Проверьте часы и часовой пояс вашей системы.",
    ),
    "clock_doubt": (
        "RELAY-CLOCK",
        "By its times the alert ended {minutes} min ago, but its sent looks like a wrong clock or time zone. Nobody is"
        " told yet: the duty officer sees it and decides. Correct the clock, or send a new alert.",
        "По указанному времени предупреждение истекло {minutes} мин назад, но sent похож на ошибку часов или часового"
        " пояса. Пока никому не отправлено: дежурный видит его и решает. Исправьте часы или пришлите новое.",
    ),
    "own_clock_doubt": (
        "RELAY-CLOCK",
        "By our clock the alert has ended, but our clock cannot be trusted now. Nobody is told yet: the duty officer"
        " sees it and decides.",
        "По нашим часам предупреждение истекло, но сейчас нашим часам нельзя верить. Пока никому не отправлено:"
        " дежурный видит его и решает.",
    ),
    "expired": (
        "RELAY-EXPIRED",
        "The alert ended {minutes} min before it came. It is kept, and nobody is told."
        " If the danger goes on, send a new alert with a later expires.",
        "Срок действия истёк за {minutes} мин до получения. Предупреждение сохранено и никому не отправлено."
        " Если опасность остаётся, пришлите новое с более поздним expires.",
    ),
    "cancel_lives": (
        "RELAY-EXPIRED",
        "The expires of this Cancel has passed. A Cancel is sent all the same to those who were told.",
        "Срок expires этой отмены прошёл. Отмена всё равно отправляется тем, кто получил предупреждение.",
    ),
    "no_usable_area": (
        "RELAY-AREA",
        "No area has a polygon, circle or geocode, so nobody is told until the duty officer decides."
        " Add a polygon, a circle or a geocode and send the alert again.",
        "Ни у одной территории нет полигона, круга или геокода: никому не отправлено, пока не решит дежурный."
        " Добавьте polygon, circle или geocode и пришлите снова.",
    ),
    "restricted_without_addresses": (
        "RELAY-ADDRESSES",
        "scope is Restricted and addresses is empty, so it is not known who may be told. The duty officer decides."
        " Name recipients or group:NAME in addresses.",
        "scope — Restricted, а addresses пуст: неизвестно, кому можно сообщить. Решает дежурный."
        " Укажите в addresses получателей или group:ИМЯ.",
    ),
    "private_without_addresses": (
        "RELAY-ADDRESSES",
        "scope is not Public and addresses is empty, so it is not known who is to be told. The duty officer decides."
        " Name recipients or group:NAME in addresses.",
        "scope — не Public, а addresses пуст: неизвестно, кому сообщить. Решает дежурный."
        " Укажите в addresses получателей или group:ИМЯ.",
    ),
    "outside_jurisdiction": (
        "RELAY-JURISDICTION",
        "The area reaches beyond the territory of your key. Nobody is told until the duty officer decides."
        " Correct the area, or ask the operator to widen the key's territory.",
        "Территория выходит за пределы территории вашего ключа. Никому не отправлено, пока не решит дежурный."
        " Исправьте территорию или попросите оператора расширить территорию ключа.",
    ),
    "jurisdiction_unknown": (
        "RELAY-JURISDICTION",
        "The area has only geocodes, which cannot be compared with the territory of your key. Nobody is told until"
        " the duty officer decides. Add a polygon or a circle.",
        "У территории только геокоды, их нельзя сравнить с территорией вашего ключа. Никому не отправлено, пока не"
        " решит дежурный. Добавьте polygon или circle.",
    ),
    "outside_hazards": (
        "RELAY-HAZARD",
        "Your key is not for the category {category}. Nobody is told until the duty officer decides."
        " Correct the category, or ask the operator to widen the key.",
        "Ваш ключ не для категории {category}. Никому не отправлено, пока не решит дежурный."
        " Исправьте category или попросите оператора расширить ключ.",
    ),
    "ambiguous_reference": (
        "RELAY-REFERENCE",
        "The reference fits more than one alert: {ids}. Nothing is cancelled until the duty officer decides."
        " Or cancel each one by its id.",
        "Ссылка подходит к нескольким предупреждениям: {ids}. Ничего не отменено, пока не решит дежурный."
        " Или отмените каждое по его id.",
    ),
    "foreign_reference": (
        "RELAY-REFERENCE",
        "references names an alert of another sender, which this key may not change. Nobody is told until the duty"
        " officer decides.",
        "references указывает на предупреждение другого отправителя, этот ключ не может его менять. Никому не"
        " отправлено, пока не решит дежурный.",
    ),
    "drill_and_real": (
        "RELAY-REFERENCE",
        "A drill refers to a real alert, or a real alert to a drill. Nobody is told until the duty officer decides.",
        "Учебное сообщение ссылается на настоящее предупреждение или наоборот. Никому не отправлено, пока не решит"
        " дежурный.",
    ),
    "identifier_collision": (
        "RELAY-COLLISION",
        "Another alert has the same sender, identifier and sent: {id}. Both are kept. Give every alert an identifier"
        " of its own, and write the seconds in sent.",
        "У другого предупреждения те же sender, identifier и sent: {id}. Сохранены оба. Давайте каждому предупреждению"
        " свой identifier и пишите секунды в sent.",
    ),
    "not_disseminated": (
        "RELAY-ANSWER",
        "A message of type {msg_type} is kept and told to nobody.",
        "Сообщение типа {msg_type} сохранено и никому не отправляется.",
    ),
}


def say(key: str, *, path: str = "", line: int | None = None, **values: str) -> Finding:
    """Return the warning for one part of a verdict; ``values`` fill its sentence.

    Raises:
        KeyError: there is no such sentence, or a value is missing.
    """
    rule, english, russian = _SENTENCES[key]
    return Finding(
        rule=rule,
        severity="warning",
        message=english.format_map(values),
        message_ru=russian.format_map(values),
        path=path,
        line=line,
    )
