"""Deliveries to try an adapter with, in the languages of the region."""

from __future__ import annotations

from datetime import timedelta

import orjson

from relay.adapter import Class, Content, Hole, Item, Kind, Template
from relay.testing.clocks import START

TEXTS = {
    "en": "Earthquake. Go outside, stay away from buildings.",
    "ru": "Землетрясение. Выйдите на открытое место, дальше от зданий.",
    "kk": "Жер сілкінісі. Ғимараттан шығыңыз, ұлғайған қауіп: әйнек, қабырға.",
    "ky": "Жер титирөө. Үйдөн чыгыңыз, өзөн жээгинен алыс болуңуз.",
    "fa": "زمین‌لرزه. از ساختمان بیرون بروید و دور بمانید.",
}
_RTL = {"fa", "ps", "ar", "ur"}


def make_content(text: str = TEXTS["en"], *, language: str = "en", subject: str = "Earthquake near Almaty") -> Content:
    """Return a content with an acknowledgement link as its hole, in all the forms that the kinds need."""
    body = orjson.dumps({"type": "alert.notification", "data": {"delivery_id": "@id", "text": f"{text} @ack"}}).decode()
    before, _, rest = body.partition("@id")
    middle, _, after = rest.partition("@ack")
    return Content(
        language=language,
        rtl=language in _RTL,
        subject=subject,
        text=Template((f"{text} ", Hole.ACK_URL)),
        html=Template((f"<p>{text}</p><p><a href='", Hole.ACK_URL, "'>OK</a></p>")),
        body=Template((before, Hole.DELIVERY_ID, middle, Hole.ACK_URL, after)),
        cap=b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>',
    )


def make_item(
    number: int = 0,
    *,
    kind: Kind = Kind.SMS,
    address: str = "",
    secret: str = "",
    text: str = TEXTS["en"],
    content: Content | None = None,
    klass: Class = Class.P1,
) -> Item:
    """Return the ``number``-th delivery; different numbers differ in id, link and (unless given) address."""
    defaults = {
        Kind.SMS: f"+7701000{number:04d}",
        Kind.EMAIL: f"duty{number}@rescue.example",
        Kind.WEBHOOK: f"https://hook{number}.rescue.example/",
    }
    delivery_id = f"leg0contract-{number}"
    language = next((code for code, known in TEXTS.items() if known == text), "en")
    return Item(
        delivery_id=delivery_id,
        address=address or defaults[kind],
        content=content or make_content(text, language=language),
        values={
            Hole.DELIVERY_ID: delivery_id,
            Hole.RECIPIENT: f"rescue-{number}",
            Hole.NAME: f"Rescue squad {number}",
            Hole.ACK_URL: f"https://relay.example/a/{number}",
            Hole.CAP_URL: f"https://relay.example/c/{number}",
            Hole.TIMESTAMP: START.isoformat(),
        },
        klass=klass,
        expires=START + timedelta(hours=1),
        secret=secret,
    )
