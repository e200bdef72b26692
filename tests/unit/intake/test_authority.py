"""Authorities: who may do what, and in whose name."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from relay.errors import InvalidInput
from relay.intake.authority import Action, Key, Mode, Role, check, from_entry, may, may_send
from relay.testing.clocks import START
from tests.unit.intake.conftest import MakeKey


@pytest.mark.parametrize(
    ("patterns", "sender", "allowed"),
    [
        (("*@meteo.example",), "duty@meteo.example", True),
        (("*@meteo.example",), "Иванов@METEO.Example", True),
        (("*@METEO.example",), "duty@meteo.EXAMPLE", True),
        (("*@meteo.example",), "duty@meteo.example.evil", False),
        (("*@meteo.example",), "duty@sub.meteo.example", False),
        (("*@meteo.example",), "duty@meteo.example@evil.example", False),
        (("duty@meteo.example",), "Duty@meteo.example", False),
        (("other", "urn:oid:2.49.0.0.398.*"), "urn:oid:2.49.0.0.398.0", True),
        (("meteo",), "meteor", False),
        (("meteo",), "", False),
        ((), "duty@meteo.example", False),
    ],
)
def test_sender_patterns(make_key: MakeKey, patterns: tuple[str, ...], sender: str, allowed: bool) -> None:
    """A pattern matches the whole sender; only the host's case does not matter."""
    assert may_send(make_key(senders=patterns), sender) is allowed


def test_the_admin_may_post_as_anyone(make_key: MakeKey) -> None:
    """The admin key needs no patterns; an operator's does."""
    assert may_send(make_key(role=Role.ADMIN, senders=()), "anyone@anywhere.example")
    assert not may_send(make_key(role=Role.OPERATOR, senders=()), "anyone@anywhere.example")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.AGENCY, {"post-alert", "validate", "read-own", "cancel-own"}),
        (Role.APPROVER, {"validate", "read-own", "read-all", "approve", "replay", "status", "metrics"}),
        (Role.OPERATOR, {action.value for action in Action} - {"keys"}),
        (Role.ADMIN, {action.value for action in Action}),
    ],
)
def test_what_each_role_may(make_key: MakeKey, role: Role, allowed: set[str]) -> None:
    """The table of §12: what is not named is refused."""
    assert {action.value for action in Action if may(make_key(role=role), action)} == allowed


def test_an_entry_comes_back_as_the_key(make_key: MakeKey) -> None:
    """What is stored describes the whole key."""
    key = make_key(
        mode=Mode.TEST, strict=True, area="42,76,44,78", hazards=("Geo",), hash="ab", revoked=START + timedelta(hours=1)
    )

    assert from_entry(key.entry()) == key


def test_an_older_entry_takes_defaults() -> None:
    """Fields that an older relay did not write take their defaults."""
    entry = {"key_id": "k", "name": "n", "role": "admin", "hash": "h"}
    entry |= dict.fromkeys(("created", "updated"), START.isoformat())

    assert from_entry(entry) == Key(key_id="k", name="n", role=Role.ADMIN, created=START, updated=START, hash="h")


@pytest.mark.parametrize("damage", [{"role": "king"}, {"created": "yesterday"}, {"senders": 5}, {"hash": None}])
def test_a_damaged_entry_is_said_so(make_key: MakeKey, damage: dict[str, object]) -> None:
    """An entry that is no key is a ValueError."""
    entry = {name: value for name, value in (make_key().entry() | damage).items() if value is not None}

    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is Python's own for a bad role or time
        from_entry(entry)


def test_the_hash_is_not_shown(make_key: MakeKey) -> None:
    """Neither a list of keys nor a log line holds the hash."""
    key = make_key(hash="feedbeef")

    assert "hash" not in key.shown()
    assert "feedbeef" not in repr(key)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"senders": ()}, "at least one sender pattern"),
        ({"senders": ("a b@meteo.example",)}, "no sender pattern"),
        ({"senders": ("a,b",)}, "no sender pattern"),
        ({"senders": ("",)}, "no sender pattern"),
        ({"name": " "}, "needs a name"),
        ({"name": "a\nb"}, "needs a name"),
        ({"hazards": ("Weather",)}, "no CAP category"),
        ({"area": "the whole country"}, "is no area"),
    ],
)
def test_a_key_that_cannot_be_meant_so(make_key: MakeKey, wrong: dict[str, object], sentence: str) -> None:
    """A key is refused with a sentence that says what to write."""
    check(make_key())

    with pytest.raises(InvalidInput, match=sentence) as caught:
        check(make_key(**wrong))
    assert caught.value.status == 422


def test_only_agencies_need_patterns(make_key: MakeKey) -> None:
    """Operators, approvers and admins may have none."""
    for role in (Role.OPERATOR, Role.APPROVER, Role.ADMIN):
        check(dataclasses.replace(make_key(), role=role, senders=()))
