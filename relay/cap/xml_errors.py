"""Says in words, English and Russian, why a document is not well-formed."""

from __future__ import annotations

from xml.parsers.expat import ErrorString, ExpatError, errors

from relay.cap.rules import CATALOGUE
from relay.errors import Finding, InvalidAlert

_RUSSIAN = {
    errors.XML_ERROR_SYNTAX: "синтаксическая ошибка",
    errors.XML_ERROR_NO_ELEMENTS: "нет ни одного элемента или документ оборван",
    errors.XML_ERROR_INVALID_TOKEN: "недопустимый знак или неверная кодировка",
    errors.XML_ERROR_UNCLOSED_TOKEN: "документ оборван",
    errors.XML_ERROR_PARTIAL_CHAR: "оборван знак в конце",
    errors.XML_ERROR_TAG_MISMATCH: "закрывающий тег не соответствует открывающему",
    errors.XML_ERROR_DUPLICATE_ATTRIBUTE: "атрибут повторяется",
    errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT: "лишнее после конца документа",
    errors.XML_ERROR_UNDEFINED_ENTITY: "неизвестная сущность",
    errors.XML_ERROR_BAD_CHAR_REF: "недопустимая ссылка на знак",
    errors.XML_ERROR_MISPLACED_XML_PI: "объявление XML не в самом начале",
    errors.XML_ERROR_INCORRECT_ENCODING: "кодировка не соответствует объявленной",
    errors.XML_ERROR_UNCLOSED_CDATA_SECTION: "не закрыта секция CDATA",
    errors.XML_ERROR_UNBOUND_PREFIX: "префикс не объявлен",
}


def not_well_formed(error: ExpatError, *, also: InvalidAlert | None) -> InvalidAlert:
    """Return the error for a document that expat cannot read, with line and column; ``also`` adds its findings."""
    rule = CATALOGUE["xml"]
    why = ErrorString(error.code) or "unknown error"
    place = {"line": str(error.lineno), "column": str(error.offset + 1)}
    finding = Finding(
        rule=rule.id,
        severity="error",
        message=rule.en.format(why=why, **place),
        message_ru=rule.ru.format(why=_RUSSIAN.get(why, why), **place),
        line=error.lineno,
    )
    return InvalidAlert(
        rule.slug, finding.message, status=rule.status, findings=(finding, *(also.findings if also else ()))
    )
