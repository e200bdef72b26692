"""What the fictional agency posts in the demo, as CAP 1.2 written for this project (times are given by the caller)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Final

SENDER: Final = "duty@meteo.example"
_ZONE: Final = timezone(timedelta(hours=5))

ALMATY_AREA: Final = "43.05,76.65 43.05,77.30 43.45,77.30 43.45,76.65 43.05,76.65"
_SWAPPED_AREA: Final = "76.90,43.24 77.20,43.24 77.20,43.40 76.90,43.40 76.90,43.24"
_SOUTH: Final = "41.8,69.0 41.8,72.0 43.4,72.0 43.4,69.0 41.8,69.0"
_TARAZ: Final = "42.7,71.0 42.7,71.8 43.2,71.8 43.2,71.0 42.7,71.0"

KAZAKHSTAN: Final = "40.5,46.4,55.5,87.4"
"""South, west, north, east: where the agency's key may warn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What an alert says in one language."""

    language: str
    who: str
    event: str
    headline: str
    description: str
    instruction: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One alert before it is written as XML; ``urgency``, ``severity``, ``certainty`` hold for every language."""

    identifier: str
    sent: datetime
    words: tuple[Words, ...]
    polygon: str
    urgency: str
    severity: str
    certainty: str
    status: str = "Actual"
    msg_type: str = "Alert"
    references: str = ""
    category: str = "Geo"
    response: str = "Evacuate"
    hours: int = 6

    @property
    def triple(self) -> str:
        """How a later message refers to this one (CAP ``references``)."""
        return f"{SENDER},{self.identifier},{_time(self.sent)}"


_QUAKE: Final = (
    Words(
        language="ru",
        who="Гидромет-демо",
        event="Землетрясение",
        headline="ЗЕМЛЕТРЯСЕНИЕ, Алматы",
        description="Южнее Алматы произошло землетрясение магнитудой 6,4. Ожидаются повторные толчки.",
        instruction="Выйдите на открытое место, лифтом не пользуйтесь.",
        place="Алматы",
    ),
    Words(
        language="kk",
        who="Гидромет-демо",
        event="Жер сілкінісі",
        headline="ЖЕР СІЛКІНІСІ, Алматы",
        description="Алматының оңтүстігінде магнитудасы 6,4 жер сілкінісі болды. Қайта сілкінуі мүмкін.",
        instruction="Ашық жерге шығыңыз, лифтке мінбеңіз.",
        place="Алматы",
    ),
    Words(
        language="en",
        who="Hydromet demo",
        event="Earthquake",
        headline="EARTHQUAKE, Almaty",
        description="A magnitude 6.4 earthquake struck south of Almaty. Aftershocks are expected.",
        instruction="Go to open ground, do not use lifts.",
        place="Almaty",
    ),
)

_OVER: Final = {
    "ru": ("Землетрясение, Алматы", "Опасность миновала.", "Можно вернуться в проверенные здания."),
    "kk": ("Жер сілкінісі, Алматы", "Қауіп өтті.", "Тексерілген ғимараттарға қайтуға болады."),
    "en": ("Earthquake, Almaty", "The danger has passed.", "You may return to checked buildings."),
}

_DRILL: Final = {
    "ru": ("учебное землетрясение, Алматы", "Это проверка связи.", "Никуда не идите."),
    "kk": ("оқу жер сілкінісі, Алматы", "Бұл байланысты тексеру.", "Ешқайда бармаңыз."),
    "en": ("practice earthquake, Almaty", "This is a test of the line.", "Stay where you are."),
}

_WIND: Final = Words(
    language="ru",
    who="Гидромет-демо",
    event="Ветер",
    headline="Свежий ветер на юге",
    description="Завтра днём на юге порывы до 14 м/с.",
    instruction="Закрепите лёгкие предметы.",
    place="Юг",
)

_LAKE: Final = Words(
    language="ru",
    who="Гидромет-демо",
    event="Прорыв плотины",
    headline="ПРОРЫВ ПЛОТИНЫ, Алматы",
    description="Вода идёт по руслу реки.",
    instruction="Отойдите от реки на высокое место.",
    place="Алматы",
)

_STORM: Final = Words(
    language="ru",
    who="Гидромет-демо",
    event="Шквал",
    headline="ШКВАЛ, Тараз",
    description="В течение часа порывы до 32 м/с.",
    instruction="Не выходите из зданий.",
    place="Тараз",
)


def earthquake(now: datetime) -> Draft:
    """Return the earthquake in ru, kk and en: a flash."""
    return Draft(
        identifier=f"demo-quake-{now:%Y%m%d%H%M%S}",
        sent=now,
        words=_QUAKE,
        polygon=ALMATY_AREA,
        urgency="Immediate",
        severity="Extreme",
        certainty="Observed",
    )


def swapped(now: datetime) -> Draft:
    """Return an earthquake whose pairs are written lon,lat."""
    return replace(earthquake(now), identifier=f"demo-swapped-{now:%Y%m%d%H%M%S}", polygon=_SWAPPED_AREA)


def wind(now: datetime) -> Draft:
    """Return low news for the whole crowd."""
    return Draft(
        identifier=f"demo-wind-{now:%Y%m%d%H%M%S}",
        sent=now,
        words=(_WIND,),
        polygon=_SOUTH,
        urgency="Future",
        severity="Minor",
        certainty="Likely",
        category="Met",
        response="Prepare",
    )


def dam_break(now: datetime) -> Draft:
    """Return a flash for Almaty."""
    return Draft(
        identifier=f"demo-dam-{now:%Y%m%d%H%M%S}",
        sent=now,
        words=(_LAKE,),
        polygon=ALMATY_AREA,
        urgency="Immediate",
        severity="Extreme",
        certainty="Observed",
        category="Infra",
    )


def squall(now: datetime) -> Draft:
    """Return urgent news for the two thousand of Taraz."""
    return Draft(
        identifier=f"demo-squall-{now:%Y%m%d%H%M%S}",
        sent=now,
        words=(_STORM,),
        polygon=_TARAZ,
        urgency="Expected",
        severity="Severe",
        certainty="Likely",
        category="Met",
        response="Shelter",
    )


def all_clear(quake: Draft, now: datetime) -> Draft:
    """Return the Cancel of ``quake`` in its languages."""
    return replace(
        quake,
        identifier=f"{quake.identifier}-c",
        sent=now,
        msg_type="Cancel",
        references=quake.triple,
        words=_said(_OVER),
        urgency="Past",
        severity="Minor",
        response="AllClear",
    )


def drill(now: datetime) -> Draft:
    """Return an exercise for Almaty in ru, kk and en."""
    draft = earthquake(now)
    return replace(
        draft,
        identifier=f"demo-drill-{now:%Y%m%d%H%M%S}",
        status="Exercise",
        words=_said(_DRILL),
        response="None",
    )


def _said(texts: dict[str, tuple[str, str, str]]) -> tuple[Words, ...]:
    """Return the earthquake's words with another headline, description and instruction."""
    said = []
    for words in _QUAKE:
        headline, description, instruction = texts[words.language]
        said.append(replace(words, headline=headline, description=description, instruction=instruction))
    return tuple(said)


def language_of(text: str) -> str:
    """Return in which of its languages a message of the demo arrived; an empty string for a text that is not one."""
    for language, marks in _MARKS.items():
        if any(mark in text.casefold() for mark in marks):
            return language
    return ""


_MARKS: Final = {
    "kk": ("жер сілкін",),
    "ru": ("землетрясени", "плотин", "ветер", "шквал"),
    "en": ("earthquake",),
}


def to_xml(draft: Draft) -> bytes:
    """Write the alert as CAP 1.2, one element a line."""
    references = f"  <references>{draft.references}</references>\n" if draft.references else ""
    infos = "".join(_info(draft, words) for words in draft.words)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">\n'
        f"  <identifier>{draft.identifier}</identifier>\n"
        f"  <sender>{SENDER}</sender>\n"
        f"  <sent>{_time(draft.sent)}</sent>\n"
        f"  <status>{draft.status}</status>\n"
        f"  <msgType>{draft.msg_type}</msgType>\n"
        "  <scope>Public</scope>\n"
        f"{references}{infos}</alert>\n"
    )
    return text.encode()


def _info(draft: Draft, words: Words) -> str:
    fields = (
        ("language", words.language),
        ("category", draft.category),
        ("event", words.event),
        ("responseType", draft.response),
        ("urgency", draft.urgency),
        ("severity", draft.severity),
        ("certainty", draft.certainty),
        ("expires", _time(draft.sent + timedelta(hours=draft.hours))),
        ("senderName", words.who),
        ("headline", words.headline),
        ("description", words.description),
        ("instruction", words.instruction),
    )
    lines = "".join(f"    <{name}>{escape(value, quote=False)}</{name}>\n" for name, value in fields)
    area = f"      <areaDesc>{escape(words.place, quote=False)}</areaDesc>\n      <polygon>{draft.polygon}</polygon>\n"
    return f"  <info>\n{lines}    <area>\n{area}    </area>\n  </info>\n"


def _time(moment: datetime) -> str:
    return moment.astimezone(_ZONE).isoformat(timespec="seconds")
