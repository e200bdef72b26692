"""What is wrong with a recipient's JSON, in sentences that say what to write, in English and Russian."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from relay.errors import Finding, InvalidInput

MAX_FINDINGS: Final = 100

_SAY: Final[dict[str, tuple[str, str]]] = {
    "missing": ("this field is required", "это поле обязательно"),
    "extra_forbidden": ("this field does not exist", "такого поля нет"),
    "literal_error": ("must be one of {expected}", "допустимы: {expected}"),
    "enum": ("must be one of {expected}", "допустимы: {expected}"),
    "string_type": ("must be a text", "должен быть текст"),
    "bool_type": ("must be true or false", "должно быть true или false"),
    "float_type": ("must be a number", "должно быть число"),
    "finite_number": ("must be a finite number", "должно быть конечное число"),
    "tuple_type": ("must be a list", "должен быть список"),
    "model_type": ("must be an object", "должен быть объект"),
    "model_attributes_type": ("must be an object", "должен быть объект"),
    "too_long": ("holds more than {max_length} entries", "больше {max_length} элементов"),
    "too_short": ("must hold an entry at least", "нужен хотя бы один элемент"),
    "string_too_long": ("is longer than {max_length} characters", "длиннее {max_length} знаков"),
    "string_too_short": ("must not be empty", "не должно быть пустым"),
    "greater_than_equal": ("must be {ge} or more", "должно быть не меньше {ge}"),
    "less_than_equal": ("must be {le} or less", "должно быть не больше {le}"),
    "outer_space": ("must not begin or end with a space", "не должно начинаться или кончаться пробелом"),
    "bad_character": (
        "holds a control character or a hidden direction mark",
        "содержит управляющий знак или скрытый знак направления",
    ),
    "id_mismatch": ("is not the id of the URL", "не совпадает с id в адресе запроса"),
    "repeated": ("this address is listed twice", "этот адрес указан дважды"),
}
_PATTERNS: Final[dict[str, tuple[str, str]]] = {
    "id": (
        "an id has 1 to 64 characters: Latin letters, digits and . _ ~ - (but not . or .. alone)",
        "id: от 1 до 64 знаков: латинские буквы, цифры и . _ ~ - (но не просто . или ..)",
    ),
    "languages": (
        "write a language as a BCP 47 tag such as kk, ru or uz-Cyrl",
        "запишите язык кодом BCP 47, например kk, ru или uz-Cyrl",
    ),
}


def describe(error: ValidationError, fields: Collection[str]) -> InvalidInput:
    """Return the refusal for pydantic's ``error``; ``fields`` are the top-level names, for hints on misspelt ones."""
    details = error.errors(include_url=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        reason = str(details[0].get("ctx", {}).get("error", ""))[:200]
        finding = Finding(rule="RELAY-JSON", severity="error", message=f"this is not JSON: {reason}")
        return InvalidInput("malformed-json", finding.message, status=400, findings=(finding,))
    return refuse([_finding(detail, fields) for detail in details[:MAX_FINDINGS]])


def refuse(findings: Sequence[Finding]) -> InvalidInput:
    """Return the refusal that carries ``findings``; its detail repeats the first."""
    first = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return InvalidInput(
        "validation-failed", f"{first.path or 'the document'}: {first.message}{more}", findings=findings
    )


def found(rule: str, what: str, path: str, values: Mapping[str, Any] | None = None) -> Finding:
    """Return the finding for ``what``, one of the words this file knows."""
    english, russian = (text.format_map(values or {}) for text in _SAY[what])
    return Finding(rule=rule, severity="error", message=english, message_ru=russian, path=path)


def pointer(loc: Sequence[int | str]) -> str:
    """Return a location as a JSON Pointer (RFC 6901), cut to 200 characters."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in loc)[:200]


def _finding(detail: ErrorDetails, fields: Collection[str]) -> Finding:
    loc, what, path = detail["loc"], detail["type"], pointer(detail["loc"])
    if what == "string_pattern_mismatch":
        english, russian = _PATTERNS[str(loc[0])]
        return Finding(rule="RELAY-FIELD", severity="error", message=english, message_ru=russian, path=path)
    if what not in _SAY:
        return Finding(rule="RELAY-FIELD", severity="error", message=detail["msg"][:200], path=path)
    finding = found("RELAY-FIELD", what, path, detail.get("ctx"))
    close = difflib.get_close_matches(str(loc[0])[:64], list(fields), n=1) if what == "extra_forbidden" else []
    if not close or len(loc) != 1:
        return finding
    return Finding(
        rule=finding.rule,
        severity=finding.severity,
        path=path,
        message=f"{finding.message}; did you mean {close[0]}?",
        message_ru=f"{finding.message_ru}; возможно, {close[0]}?",
    )
