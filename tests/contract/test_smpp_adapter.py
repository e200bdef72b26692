"""The SMPP adapter keeps the adapter contract, against a foreign SMS centre on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from adapters.sms.smpp import Smpp
from relay.testing.contract import AdapterContract
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
