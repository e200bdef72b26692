"""The gate: keys, sessions, guesses."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from relay.api.auth import WRONG_PER_MINUTE, Gate
from relay.api.call import Call, Route, answer
from relay.api.problems import Refused
from relay.api.remote import Proxies
from relay.intake.authority import Action, Role
from relay.intake.register import NewKey, Register
from relay.testing.clocks import FakeClock


async def nothing(_: Call) -> web.StreamResponse:
    return answer({})


STATUS = Route("GET", "/status", nothing, frozenset({Action.STATUS}))
OPEN = Route("GET", "/healthz", nothing)


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A register with nothing but its admin."""
    return Register.open(tmp_path, clock=FakeClock())


@pytest.fixture
def operator(register: Register) -> NewKey:
    """An operator's key."""
    return register.create(role=Role.OPERATOR, name="duty")


def gate(register: Register, **options: object) -> Gate:
    """Return a gate without proxies."""
    return Gate(register, proxies=Proxies(()), clock=FakeClock(), **options)  # type: ignore[arg-type]


def request(method: str = "GET", *authorization: str) -> web.Request:
    """Return a request with these Authorization headers."""
    headers = CIMultiDict([("Authorization", value) for value in authorization])
    return make_mocked_request(method, "/status", headers=headers)


def refusal(gate_: Gate, asked: web.Request, route: Route = STATUS) -> tuple[str, int]:
    """Return why the gate refuses."""
    with pytest.raises(Refused) as refused:
        gate_.admit(asked, route)
    return refused.value.problem.slug, refused.value.problem.status


def test_a_key_opens_its_routes(register: Register, operator: NewKey) -> None:
    """The holder of a key that may do something is let through."""
    assert gate(register).admit(request("GET", f"Bearer {operator.credential}"), STATUS) == operator.key


def test_a_key_opens_no_other(register: Register) -> None:
    """A role that may not do something is 403, not 401."""
    made = register.create(role=Role.AGENCY, name="meteo", senders=["*@meteo.example"])

    assert refusal(gate(register), request("GET", f"Bearer {made.credential}")) == ("forbidden", 403)


def test_open_routes_need_none(register: Register) -> None:
    """An open route is for everybody; whoever shows a key is known there."""
    assert gate(register).admit(request(), OPEN) is None


def test_two_headers(register: Register, operator: NewKey) -> None:
    """Two credentials are refused even when both are right: nobody knows which one was meant."""
    header = f"Bearer {operator.credential}"

    assert refusal(gate(register), request("GET", header, header)) == ("malformed-request", 400)


def test_a_session_only_looks(register: Register, operator: NewKey) -> None:
    """What a browser carries along by itself opens reading, and nothing that changes something."""
    signed_in = gate(register, session=lambda _: operator.key)

    assert signed_in.admit(request("GET"), STATUS) == operator.key
    assert refusal(signed_in, request("POST")) == ("unauthenticated", 401)


def test_guessing(register: Register, operator: NewKey) -> None:
    """After many wrong keys an address gets 429; the right key still opens."""
    guarded = gate(register)
    answers = [refusal(guarded, request("GET", "Bearer x")) for _ in range(WRONG_PER_MINUTE + 1)]

    assert answers[0] == ("unauthenticated", 401)
    assert answers[-1] == ("rate-limited", 429)
    assert guarded.admit(request("GET", f"Bearer {operator.credential}"), STATUS) == operator.key
