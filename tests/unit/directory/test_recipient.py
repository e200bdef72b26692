"""Recipients: what is taken, refused, stored and shown."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
import pytest

from relay.directory.egress import Guard
from relay.directory.recipient import (
    Parsed,
    Recipient,
    carry_denied,
    from_json,
    parse,
    public,
    to_json,
    with_previous,
)
from relay.errors import InvalidInput

HOOK = {"kind": "webhook", "value": "https://rescue7.example/hook"}
SECRET = "whsec_" + "QUFB" * 8
FULL: dict[str, Any] = {
    "id": "almaty-rescue-7",
    "name": "Құтқару жасағы 7",
    "languages": ["kk", "ru", "uz-Cyrl"],
    "groups": ["rescue", "Шұғыл топ"],
    "needs": ["text", "easy"],
    "addresses": [
        {"kind": "sms", "value": "+77010000007"},
        {"kind": "email", "value": "duty@rescue7.example"},
        {**HOOK, "secret": SECRET},
    ],
    "location": {"lat": 43.24, "lon": 76},
    "geocodes": [{"scheme": "ISO3166-2", "value": "KZ-75"}],
    "min_severity": "Moderate",
    "hazards": ["Geo", "CBRNE"],
    "drills": True,
    "policy": "first",
}
LEAST: dict[str, Any] = {"id": "a", "addresses": [{"kind": "sms", "value": "+77010000007"}]}


def read(document: object, **options: Any) -> Parsed:
    numbers = itertools.count()
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return parse(body, guard=Guard(), make_secret=lambda: f"made {next(numbers)}", **options)


def refused(document: object, **options: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read(document, **options)
    return caught.value


def test_every_field_survives_storage_and_answer() -> None:
    """What was PUT is what is stored and shown, the secret apart."""
    parsed = read(FULL)

    assert from_json(to_json(parsed.recipient)) == parsed.recipient
    assert parsed.new_secrets == ()
    shown = public(parsed.recipient)
    expected = {**FULL, "addresses": [*FULL["addresses"][:2], HOOK], "location": {"lat": 43.24, "lon": 76.0}}
    assert shown == expected
    assert SECRET not in repr(parsed)


def test_defaults() -> None:
    """Who says nothing hears everything but drills, on every address."""
    shown = public(read(LEAST).recipient)

    assert shown == {
        **LEAST,
        "name": "",
        "languages": [],
        "groups": [],
        "needs": [],
        "location": None,
        "geocodes": [],
        "min_severity": "Minor",
        "hazards": [],
        "drills": False,
        "policy": "all",
    }


def test_stored_form_is_small() -> None:
    """Defaults are not stored a million times."""
    assert len(to_json(read(LEAST).recipient)) < 80


def test_webhook_without_secret_gets_one_that_is_shown_once() -> None:
    """The relay makes the missing secrets, says for which slots, and shows only those."""
    parsed = read(
        {"id": "a", "addresses": [HOOK, {"kind": "webhook", "value": "https://b.example/", "secret": SECRET}]}
    )

    assert parsed.new_secrets == (0,)
    shown = public(parsed.recipient, reveal=parsed.new_secrets)
    assert shown["addresses"] == [{**HOOK, "secret": "made 0"}, {"kind": "webhook", "value": "https://b.example/"}]


def test_edit_without_the_secret_keeps_it() -> None:
    """GET, edit, PUT does not rotate the signing secret behind the receiver's back."""
    old = read({"id": "a", "addresses": [{**HOOK, "secret": SECRET}]}).recipient
    other = {"kind": "webhook", "value": "https://b.example/"}

    kept = with_previous(read({"id": "a", "addresses": [other, HOOK]}), old)

    assert [address.secret for address in kept.recipient.addresses] == ["made 0", SECRET]
    assert kept.new_secrets == (0,)


def test_first_put_keeps_nothing() -> None:
    """Without a previous recipient the parsed one stands."""
    parsed = read({"id": "a", "addresses": [HOOK]})

    assert with_previous(parsed, None) == parsed


def test_opt_out_follows_its_address() -> None:
    """Re-ordering addresses neither loses an opt-out nor gives it to another address; a new value starts afresh."""
    old = read(FULL).recipient
    addresses = FULL["addresses"]
    moved = read(
        {**FULL, "addresses": [addresses[2], {"kind": "sms", "value": "+77010000008"}, addresses[1]]}
    ).recipient

    assert carry_denied(old, moved, 0b001) == 0
    assert carry_denied(old, moved, 0b110) == 0b101


def test_id_from_the_url() -> None:
    """A body without id gets the URL's; one with another id is refused."""
    body = {"addresses": LEAST["addresses"]}

    assert read(body, recipient_id="village-3").recipient.id == "village-3"
    assert read(LEAST, recipient_id="a").recipient.id == "a"
    error = refused(LEAST, recipient_id="b")
    assert (error.slug, error.status, error.findings[0].path) == ("validation-failed", 422, "/id")


@pytest.mark.parametrize("good", ["a", "A.b_c~d-9", "x" * 64, "..."])
def test_ids(good: str) -> None:
    """The id grammar is safe in URLs, JSON and logs."""
    assert read({**LEAST, "id": good}).recipient.id == good


@pytest.mark.parametrize("bad", ["", ".", "..", "x" * 65, "a b", "a/b", "a\n", "ә", "a%2f", "a{b}", 7, None])
def test_ids_that_are_refused(bad: object) -> None:
    """An id that would have to be escaped somewhere is refused, with the grammar in words."""
    error = refused({**LEAST, "id": bad})

    assert error.slug == "validation-failed"
    assert error.findings[0].path == "/id"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"language": ["kk"]}, "/language"),
        ({"addresses": []}, "/addresses"),
        ({"addresses": [{"kind": "sms", "value": f"+7701000000{n}"} for n in range(9)]}, "/addresses"),
        ({"addresses": [{"kind": "fax", "value": "1"}]}, "/addresses/0/kind"),
        ({"addresses": [{"kind": "sms", "value": 77010000007}]}, "/addresses/0/value"),
        ({"addresses": [{"kind": "sms", "value": "+77010000007", "x/y~": 1}]}, "/addresses/0/x~1y~0"),
        ({"addresses": [{"kind": "sms", "value": "112"}]}, "/addresses/0/value"),
        ({"addresses": [{"kind": "email", "value": "a@localhost"}]}, "/addresses/0/value"),
        ({"addresses": [{"kind": "email", "value": "a@b.example\u0000"}]}, "/addresses/0/value"),
        ({"addresses": [{"kind": "email", "value": "a@b.example", "secret": SECRET}]}, "/addresses/0/secret"),
        ({"addresses": [{**HOOK, "secret": "whsec_short"}]}, "/addresses/0/secret"),
        ({"addresses": LEAST["addresses"] * 2}, "/addresses/1"),
        ({"addresses": LEAST}, "/addresses"),
        ({"languages": "kk"}, "/languages"),
        ({"languages": ["kk", "қазақ"]}, "/languages/1"),
        ({"languages": ["kk\n"]}, "/languages/0"),
        ({"location": {"lat": 91, "lon": 0}}, "/location/lat"),
        ({"location": {"lat": 0, "lon": -180.5}}, "/location/lon"),
        ({"location": {"lat": "43", "lon": 0}}, "/location/lat"),
        ({"location": {"lat": 43}}, "/location/lon"),
        ({"location": [43, 76]}, "/location"),
        ({"min_severity": "moderate"}, "/min_severity"),
        ({"hazards": ["Flood"]}, "/hazards/0"),
        ({"needs": ["blind"]}, "/needs/0"),
        ({"drills": 1}, "/drills"),
        ({"drills": "true"}, "/drills"),
        ({"policy": "any"}, "/policy"),
        ({"groups": [" rescue"]}, "/groups/0"),
        ({"groups": [""]}, "/groups/0"),
        ({"name": "Rescue\r\nBcc: x"}, "/name"),
        ({"name": "\u202eEVACUATE"}, "/name"),
        ({"geocodes": [{"scheme": "x"}]}, "/geocodes/0/value"),
    ],
)
def test_what_is_refused_says_where(change: dict[str, Any], path: str) -> None:
    """Every mistake is refused with its JSON Pointer, in English and Russian, and no field is guessed."""
    error = refused({**LEAST, **change})

    assert (error.slug, error.status) == ("validation-failed", 422)
    assert [finding.path for finding in error.findings] == [path]
    assert error.findings[0].message_ru
    assert error.findings[0].rule.startswith("RELAY-")


def test_joiners_of_persian_names() -> None:
    """A zero-width non-joiner is a letter's matter, not a control character."""
    assert read({**LEAST, "name": "می\u200cخواهم"}).recipient.name == "می\u200cخواهم"


def test_all_mistakes_at_once() -> None:
    """Everything wrong with the addresses is said in one answer."""
    error = refused(
        {
            "id": "a",
            "addresses": [
                {"kind": "sms", "value": "112"},
                {"kind": "email", "value": "x"},
                {"kind": "webhook", "value": "https://127.0.0.1/"},
            ],
        }
    )

    assert [finding.path for finding in error.findings] == [f"/addresses/{slot}/value" for slot in range(3)]
    assert error.detail.endswith("(and 2 more)")


def test_misspelt_field_gets_a_hint() -> None:
    """A near miss names the field that was meant."""
    assert "did you mean languages?" in refused({**LEAST, "langauges": []}).findings[0].message


@pytest.mark.parametrize(
    ("url", "slug"), [("https://127.0.0.1/", "blocked-target"), ("https://user:pw@hook.example/", "bad-uri")]
)
def test_blocked_webhook(url: str, slug: str) -> None:
    """A webhook that leads inside is refused by the guard's own word, with its place."""
    error = refused({"id": "a", "addresses": [{"kind": "webhook", "value": url}]})

    assert (error.slug, error.status) == (slug, 422)
    assert error.findings[0].path == "/addresses/0/value"


def test_allowed_private_webhook() -> None:
    """What the operator allowed may be registered."""
    body = orjson.dumps({"id": "a", "addresses": [{"kind": "webhook", "value": "http://127.0.0.1:9000/hook"}]})

    parsed = parse(body, guard=Guard(allow=["127.0.0.1:9000"]), make_secret=lambda: "made")

    assert parsed.recipient.addresses[0].secret == "made"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xef\xbb\xbf", b"\xff\xfe{}", b"{'id': 1}", b'{"id": "a"} x', b"[" * 100_000]
)
def test_what_is_not_json(body: bytes) -> None:
    """Broken syntax is 400, with or without an id in the URL."""
    assert (refused(body).slug, refused(body).status) == ("malformed-json", 400)
    assert refused(body, recipient_id="a").slug == "malformed-json"


@pytest.mark.parametrize("body", [b"null", b"[]", b'"x"', b"7"])
def test_json_that_is_no_object(body: bytes) -> None:
    """JSON of another shape is 422."""
    assert refused(body, recipient_id="a").slug == "validation-failed"


def test_byte_order_mark_is_tolerated() -> None:
    """Windows tools put one in front."""
    assert read(b"\xef\xbb\xbf" + orjson.dumps(LEAST)).recipient.id == "a"


def test_secret_is_never_in_an_error() -> None:
    """A refusal does not repeat what was sent."""
    error = refused({**LEAST, "addresses": [{"kind": "sms", "value": "+7701BAD", "secret": SECRET}]})

    assert SECRET not in str(error) + repr(error.findings) + repr(error.__cause__)


def test_stored_bytes_of_another_shape() -> None:
    """Garbage from storage is an error, not a half recipient."""
    with pytest.raises(ValueError, match="id"):
        from_json(b"{}")


def test_recipient_is_frozen() -> None:
    """A recipient is a value."""
    with pytest.raises(ValueError, match="frozen"):
        Recipient.model_validate_json(orjson.dumps(LEAST)).id = "b"  # type: ignore[misc]
