"""A provider says what it can be made to do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from relay.testing.provider import Provider, Trouble


class Plain(Provider):
    """Takes everything, can do nothing else."""

    def address(self, number: int) -> str:
        return f"+7701000{number:04d}"

    def texts(self) -> Sequence[str]:
        return []


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_plain_providers_cannot_be_in_trouble(trouble: Trouble) -> None:
    """What is not built is skipped by the kit, with a word."""
    with pytest.raises(NotImplementedError):
        await Plain().make(trouble)
