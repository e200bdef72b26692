"""Rules that the builder meets while it turns the tree into an alert: what is missing, twice, misspelt or misshapen."""

from __future__ import annotations

from relay.cap.rules_entry import Rule


def _error(rule: str, key: str, en: str, ru: str, *, slug: str = "validation-failed") -> Rule:
    return Rule(id=rule, key=key, lenient="error", strict="error", slug=slug, en=en, ru=ru)


def _fixed(rule: str, key: str, en: str, ru: str, *, slug: str = "validation-failed") -> Rule:
    return Rule(id=rule, key=key, lenient="fixed", strict="error", slug=slug, en=en, ru=ru)


def _warning(rule: str, key: str, en: str, ru: str, *, slug: str = "validation-failed", strict: bool = True) -> Rule:
    return Rule(id=rule, key=key, lenient="warning", strict="error" if strict else "warning", slug=slug, en=en, ru=ru)


BUILD_RULES: tuple[Rule, ...] = (
    _error("CAP-000", "missing", "<{name}> is missing in <{parent}>.", "В <{parent}> нет <{name}>."),
    _error("CAP-000", "missing-empty", "<{name}> is empty, but it is required.", "<{name}> пуст, а он обязателен."),
    _error("RELAY-TWICE", "twice", "<{name}> may stand only once here.", "<{name}> здесь может быть только один раз."),
    _error(
        "RELAY-LIMIT",
        "text-long",
        "<{name}> has {length} characters. At most {limit} are read.",
        "В <{name}> {length} знаков. Допустимо не больше {limit}.",
        slug="text-too-long",
    ),
    _error(
        "RELAY-LIMIT",
        "items",
        "There are more than {limit} <{name}> here.",
        "Здесь больше {limit} элементов <{name}>.",
        slug="too-many-items",
    ),
    _error(
        "RELAY-LIMIT",
        "vertices",
        "The alert has more than {limit} polygon points. Simplify its polygons.",
        "В предупреждении больше {limit} точек полигонов. Упростите полигоны.",
        slug="too-many-vertices",
    ),
    _error(
        "RELAY-LIMIT",
        "polygons",
        "The alert has more than {limit} polygons.",
        "В предупреждении больше {limit} полигонов.",
        slug="too-many-vertices",
    ),
    _error(
        "RELAY-CHARACTER",
        "character",
        "<{name}> holds the control character {code}. Remove it.",
        "В <{name}> есть управляющий символ {code}. Уберите его.",
        slug="bad-character",
    ),
    _error(
        "RELAY-CHARACTER",
        "bidi",
        "<{name}> holds {code}, which turns the reading direction round and can reverse the meaning. Remove it.",
        "В <{name}> есть {code}: он меняет направление чтения и может изменить смысл. Уберите его.",
        slug="bidi-control",
    ),
    _warning(
        "CAP-023",
        "empty",
        "<{name}> is empty; it was read as absent.",
        "<{name}> пуст; считаем, что его нет.",
        strict=False,
    ),
    _fixed(
        "CAP-040",
        "order",
        "<{name}> must stand before <{before}>; it was put in its place.",
        "<{name}> должен стоять перед <{before}>; поставлен на место.",
    ),
    _fixed(
        "CAP-001",
        "padded",
        "The spaces around the value of <{name}> were removed.",
        "Пробелы вокруг значения <{name}> убраны.",
    ),
    _error(
        "CAP-000",
        "enumeration",
        "“{value}” is no value of <{name}>. Write {values}.",
        "«{value}» — не значение <{name}>. Пишите {values}.",
    ),
    _fixed(
        "CAP-011",
        "very-likely",
        "“Very Likely” is from CAP 1.0; it was read as Likely.",
        "«Very Likely» — из CAP 1.0; прочитано как Likely.",
    ),
    _error(
        "CAP-004",
        "time-form",
        "<{name}> “{value}” is no time. Write it like 2026-03-01T14:05:00+05:00.",
        "<{name}> «{value}» — не время. Пишите так: 2026-03-01T14:05:00+05:00.",
        slug="bad-time",
    ),
    _error(
        "CAP-004",
        "time-naive",
        "<{name}> “{value}” does not say its time zone. Add it, for example +05:00.",
        "В <{name}> «{value}» не указан часовой пояс. Добавьте его, например +05:00.",
        slug="bad-time",
    ),
    _fixed(
        "CAP-004",
        "time-zulu",
        "<{name}>: CAP does not allow “Z”; it was read as -00:00.",
        "<{name}>: CAP не допускает «Z»; прочитано как -00:00.",
        slug="bad-time",
    ),
    _fixed(
        "CAP-004",
        "time-fraction",
        "<{name}>: CAP has whole seconds; the fraction was dropped.",
        "<{name}>: в CAP целые секунды; дробная часть отброшена.",
        slug="bad-time",
    ),
    _fixed(
        "CAP-004",
        "time-colon",
        "<{name}>: the time zone is written with a colon, for example +05:00; it was added.",
        "<{name}>: часовой пояс пишется с двоеточием, например +05:00; оно добавлено.",
        slug="bad-time",
    ),
    _warning(
        "CAP-007",
        "reference-form",
        "“{value}” is no reference. Write sender,identifier,sent; it was left out.",
        "«{value}» — не ссылка. Пишите sender,identifier,sent; она пропущена.",
        slug="bad-reference",
    ),
    _fixed(
        "CAP-007",
        "reference-self",
        "The alert refers to itself; that reference was left out.",
        "Предупреждение ссылается само на себя; эта ссылка пропущена.",
        slug="bad-reference",
    ),
    _error(
        "CAP-009",
        "quotes",
        "A quotation mark in <{name}> is not closed.",
        "В <{name}> не закрыта кавычка.",
    ),
    _warning(
        "CAP-036",
        "geocode-empty",
        "The geocode “{value}” has no value; it was left out.",
        "У геокода «{value}» нет значения; он пропущен.",
    ),
    _error(
        "CAP-030",
        "polygon-form",
        "“{value}” is no pair of numbers. A polygon is written “lat,lon lat,lon lat,lon lat,lon”.",
        "«{value}» — не пара чисел. Полигон пишется «широта,долгота широта,долгота …».",
        slug="bad-polygon",
    ),
    _error(
        "CAP-030",
        "polygon-points",
        "The polygon has {count} different points. It needs at least 3.",
        "В полигоне {count} разных точек. Нужно не меньше 3.",
        slug="bad-polygon",
    ),
    _fixed(
        "CAP-030",
        "polygon-open",
        "The polygon was not closed; the first point was added at its end.",
        "Полигон не был замкнут; первая точка добавлена в конец.",
        slug="bad-polygon",
    ),
    _error(
        "CAP-031",
        "latitude",
        "The first number is the latitude, from -90 to 90. “{pair}” is no place. Probably “{swapped}” is meant.",
        "Первое число — широта, от -90 до 90. «{pair}» — не место на Земле. Вероятно, нужно «{swapped}».",
        slug="bad-polygon",
    ),
    _error(
        "CAP-031",
        "swapped",
        "The first number is the latitude. “{pair}” is far from your area. Probably “{swapped}” is meant.",
        "Первое число — широта. «{pair}» — далеко от вашей территории. Вероятно, нужно «{swapped}».",
        slug="bad-polygon",
    ),
    _error(
        "CAP-031",
        "position",
        "“{pair}” is no place: latitude is from -90 to 90, longitude from -180 to 180.",
        "«{pair}» — не место на Земле: широта от -90 до 90, долгота от -180 до 180.",
        slug="bad-polygon",
    ),
    _error(
        "CAP-035",
        "circle-form",
        "“{value}” is no circle. Write “lat,lon radius” with the radius in kilometres.",
        "«{value}» — не круг. Пишите «широта,долгота радиус», радиус в километрах.",
        slug="bad-circle",
    ),
    _error(
        "CAP-035",
        "circle-radius",
        "The radius {value} km is impossible: from 0 to 20038 km.",
        "Радиус {value} км невозможен: от 0 до 20038 км.",
        slug="bad-circle",
    ),
    Rule(
        id="CAP-032",
        key="beyond",
        lenient="warning",
        strict="warning",
        en="A longitude is beyond ±180; the area was read as going on over the 180th meridian.",
        ru="Долгота больше ±180; считаем, что территория продолжается за 180-й меридиан.",
    ),
)
