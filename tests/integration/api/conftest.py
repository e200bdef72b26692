"""One relay for a module of tests about the API: starting it costs more than most of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.api.house import House, relay_house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A relay without a worker."""
    async with relay_house(tmp_path_factory.mktemp("relay")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def working(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A relay with one worker whose SMS go to a file."""
    async with relay_house(tmp_path_factory.mktemp("relay"), worker=True) as made:
        yield made
