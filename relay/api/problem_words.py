"""What problems are called: one title a slug, in English and Russian, and in Russian also what to do."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """The title in both languages, and a sentence in Russian where the English one is made for the case."""

    title: str
    title_ru: str
    detail_ru: str = ""


_NOTHING_RU = "Ничего не сохранено и никому не отправлено."

PROBLEMS: dict[str, Words] = {
    # The request as such.
    "malformed-request": Words("The request is not well formed", "Запрос составлен неверно"),
    "headers-too-large": Words("The headers are too large", "Заголовки запроса слишком велики"),
    "uri-too-long": Words("The address of the request is too long", "Адрес запроса слишком длинный"),
    "http-version": Words("Only HTTP/1.0 and HTTP/1.1 are spoken here", "Принимается только HTTP/1.0 и HTTP/1.1"),
    "method-not-allowed": Words("This method does nothing here", "Этот метод здесь не применяется"),
    "not-found": Words("There is nothing here", "Здесь ничего нет", "Проверьте адрес и идентификатор."),
    "expectation-failed": Words("This expectation cannot be met", "Это ожидание невыполнимо"),
    "misdirected-request": Words("This relay does not answer for that host", "Этот узел не отвечает за такой хост"),
    "request-timeout": Words(
        "The body did not come in time", "Тело запроса не пришло вовремя", "Отправьте запрос ещё раз."
    ),
    "body-too-large": Words("The body is too large", "Тело запроса слишком велико"),
    "unsupported-media-type": Words(
        "This media type is not taken here",
        "Такой тип данных здесь не принимается",
        "Укажите Content-Type: application/cap+xml или application/json.",
    ),
    "unsupported-content-encoding": Words(
        "This Content-Encoding is not taken here",
        "Такой Content-Encoding не принимается",
        "Отправьте без сжатия или с Content-Encoding: gzip.",
    ),
    "bad-content-encoding": Words("The compressed body is damaged", "Сжатое тело запроса повреждено"),
    "unsupported-charset": Words("This charset is not taken here", "Такая кодировка не принимается"),
    "bad-parameter": Words("A parameter cannot be meant so", "Параметр запроса задан неверно"),
    "rate-limited": Words("Too many requests", "Слишком много запросов", "Повторите через время из Retry-After."),
    # Who asks.
    "unauthenticated": Words(
        "A valid key is needed",
        "Нужен действующий ключ",
        "Передайте ключ: Authorization: Bearer <ключ>, или Basic с ключом вместо пароля.",
    ),
    "forbidden": Words("This key may not do that", "Этому ключу это не разрешено"),
    "sender-not-allowed": Words(
        "This key may not post as this sender",
        "Этому ключу нельзя отправлять от имени такого sender",
        "sender в предупреждении не подходит к образцам ключа.",
    ),
    "csrf": Words("The form was not sent from our own page", "Форма отправлена не с нашей страницы"),
    # Alerts.
    "validation-failed": Words("The document has errors", "В документе есть ошибки"),
    "malformed-xml": Words("This is not well-formed XML", "Это не правильный XML"),
    "malformed-json": Words("This is not clean JSON", "Это не правильный JSON"),
    "doctype-forbidden": Words("A DOCTYPE is refused", "DOCTYPE не принимается"),
    "pi-forbidden": Words("A processing instruction is refused", "Инструкции обработки не принимаются"),
    "too-deep": Words("The document is nested too deeply", "Слишком большая вложенность"),
    "too-many-elements": Words("The document has too many elements", "Слишком много элементов"),
    "too-many-items": Words("The document has too many items", "Слишком много элементов"),
    "too-many-vertices": Words("The areas have too many points", "Слишком много точек в территории"),
    "text-too-long": Words("A text is too long", "Слишком длинный текст"),
    "number-out-of-range": Words("A number is out of range", "Число вне допустимых пределов"),
    "duplicate-key": Words("A field is given twice", "Поле указано дважды"),
    "bad-unicode": Words("The text is not valid Unicode", "Текст не является правильным Unicode"),
    "bad-character": Words("A text has a forbidden character", "В тексте недопустимый знак"),
    "bidi-control": Words("A text has a hidden direction mark", "В тексте скрытый знак направления"),
    "unknown-field": Words("A field does not exist", "Такого поля нет"),
    "unknown-attribute": Words("An attribute does not exist", "Такого атрибута нет"),
    "unsupported-cap-version": Words("This is not a CAP 1.2 alert", "Это не предупреждение CAP 1.2"),
    "unknown-value": Words("A value does not exist in CAP", "Такого значения в CAP нет"),
    "bad-polygon": Words("An area cannot be used", "Территорию нельзя использовать"),
    "bad-circle": Words("A circle cannot be used", "Круг нельзя использовать"),
    "bad-geocode": Words("A geocode cannot be used", "Геокод нельзя использовать"),
    "bad-time": Words("A time cannot be used", "Время указано неверно"),
    "bad-expiry": Words("The end of the alert cannot be used", "Срок действия указан неверно"),
    "bad-reference": Words("A reference cannot be used", "Ссылка на сообщение указана неверно"),
    "bad-uri": Words("An address of the web cannot be used", "Веб-адрес нельзя использовать"),
    "resource-not-allowed": Words("A resource cannot be taken", "Такой resource не принимается"),
    "area-missing": Words("The alert has no usable area", "Нет пригодной территории"),
    "swapped-coordinates": Words("The coordinates look swapped", "Координаты, вероятно, переставлены"),
    "status-not-allowed": Words("This status is not taken here", "Такой status не принимается"),
    "identifier-conflict": Words(
        "Another alert with this identifier is accepted already",
        "Предупреждение с таким identifier уже принято",
        "Содержание другое. Дайте новому сообщению новый identifier.",
    ),
    "archived-elsewhere": Words(
        "The alert is in another node's archive", "Предупреждение в архиве другого узла", "Спросите тот узел."
    ),
    "not-held": Words("The alert does not wait for a decision", "Предупреждение не ждёт решения"),
    "not-cancellable": Words("The alert cannot be cancelled", "Предупреждение нельзя отменить"),
    # Directory and keys.
    "blocked-target": Words("The relay does not send there", "Туда сообщения не отправляются"),
    "bad-number": Words("The number cannot be used", "Номер нельзя использовать"),
    "bad-address": Words("The address cannot be used", "Адрес нельзя использовать"),
    "bad-key": Words("The key cannot be made so", "Такой ключ создать нельзя"),
    "bad-area": Words("The territory of the key cannot be used", "Территорию ключа нельзя использовать"),
    # Not now.
    "journal-unavailable": Words(
        "Nothing can be accepted now",
        "Сейчас принять нельзя",
        f"{_NOTHING_RU} Повторите через время из Retry-After.",
    ),
    "store-unavailable": Words(
        "The answer is not known now",
        "Ответ сейчас неизвестен",
        "База недоступна; принятые предупреждения не потеряны. Повторите через время из Retry-After.",
    ),
    "preview-unavailable": Words(
        "No preview can be made now", "Сейчас предпросмотр невозможен", "Ни один рабочий процесс не ответил."
    ),
    "internal-error": Words(
        "Something went wrong in the relay", "Внутренняя ошибка", "Сообщите оператору номер запроса из instance."
    ),
}
"""Every slug that is used, and some that are reserved by the corpus of bad inputs."""

OTHER = Words("The request is refused", "Запрос отклонён")

AS_IT_IS = Words(
    "We need the file as it is",
    "Нужен файл без изменений",
    "curl -d меняет файл и объявляет его формой. Напишите:"
    " curl --data-binary @alert.xml -H 'Content-Type: application/cap+xml' …",
)
AS_IT_IS_DETAIL = (
    "curl -d changes the file and says it is a form. Use:"
    " curl --data-binary @alert.xml -H 'Content-Type: application/cap+xml' …"
)

NOTHING_STORED = "Nothing was stored and nobody was told."
NOTHING_STORED_RU = _NOTHING_RU


def refused_title(errors: int) -> Words:
    """Return the title of a refused alert: how many errors there are."""
    s = "" if errors == 1 else "s"
    return Words(
        f"The alert is refused: {errors} error{s}", f"Предупреждение не принято: {errors} {_plural_ru(errors)}"
    )


def _plural_ru(n: int) -> str:
    if n % 10 == 1 and n % 100 != 11:
        return "ошибка"
    return "ошибки" if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else "ошибок"
