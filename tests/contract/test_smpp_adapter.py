"""The SMPP adapter keeps the adapter contract, against a foreign SMS centre on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
import structlog
from structlog.testing import LogCapture

from adapters.sms.smpp import Smpp
from relay.adapter import Outcome, Services, Verdict
from relay.directory.egress import Guard
from relay.testing.contract import AdapterContract
from relay.testing.items import make_item
from relay.testing.provider import Provider, Trouble
from relay.testing.smsc import RINVDSTADR, RTHROTTLED, Mood, Smsc


class Centre(Provider):
    """The SMS centre as the contract's provider."""

    def __init__(self, smsc: Smsc) -> None:
        self.smsc = smsc
        self.private = (smsc.password,)
        self.settings = {
            **smsc.settings,
            "response_timeout": 1.0,
            "connect_timeout": 1.0,
            "source_addr": "+77010009999",
        }

    def address(self, number: int) -> str:
        return f"+7701000{number:04d}"

    def texts(self) -> Sequence[str]:
        return [message.text for message in self.smsc.messages]

    async def make(self, trouble: Trouble, *, only: str = "") -> None:
        match trouble:
            case Trouble.DOWN:
                await self.smsc.gate.close()
            case Trouble.REFUSES:
                self.smsc.fate[only] = RINVDSTADR
            case Trouble.HANGS:
                self.smsc.mood = Mood.HANGS
            case Trouble.RESETS:
                self.smsc.mood = Mood.CUTS
            case Trouble.SLOW_DOWN:
                self.smsc.fate[only] = RTHROTTLED


class TestSmppContract(AdapterContract):
    """The contract, over SMPP."""

    adapter = Smpp

    @pytest.fixture
    async def provider(self) -> AsyncIterator[Provider]:
        async with Smsc() as smsc:
            yield Centre(smsc)


async def test_health_is_a_life_sign_of_the_centre() -> None:
    """A bind that is up is not enough: the centre must answer on it."""
    async with Smsc() as smsc:
        settings = Smpp.descriptor.settings.model_validate({**smsc.settings, "response_timeout": 0.5})
        log = structlog.wrap_logger(None, processors=[LogCapture()])
        adapter = Smpp(settings, Services(channel="sms", log=log, egress=Guard()))
        await adapter.open()
        well = await adapter.health()
        await smsc.gate.close()
        ill = await adapter.health()
        await adapter.close(deadline=1.0)

    assert well == ""
    assert ill.startswith(("no life sign from", "not bound to"))


async def test_message_whose_turn_comes_too_late_does_not_leave() -> None:
    """It expired, or was stopped, while it waited for room in the window; what is begun is finished."""
    words = iter(["", "alert_expired", ""])
    async with Smsc() as smsc:
        log = structlog.wrap_logger(None, processors=[LogCapture()])
        settings = Smpp.descriptor.settings.model_validate(smsc.settings)
        adapter = Smpp(settings, Services(channel="sms", log=log, egress=Guard()))
        await adapter.open()
        outcomes = await adapter.send([replace(make_item(n), hindrance=lambda: next(words)) for n in range(3)])
        await adapter.close(deadline=1.0)

    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED, Verdict.RETRY, Verdict.ACCEPTED]
    assert outcomes[1] == Outcome.hindered("alert_expired")
    assert len(smsc.messages) == 2
