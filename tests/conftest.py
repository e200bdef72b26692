"""Options of the whole suite, and how its tests are spread over processes."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# How long a busy machine takes to make up examples says nothing about what they show.
settings.register_profile("chapar", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("chapar")

#: Tests of one file below these share something that is slow to start.
TOGETHER = (
    "tests/acceptance/test_black_box_",
    "tests/contract/test_cluster",
    "tests/contract/test_sentinel",
    "tests/integration/api/",
    "tests/integration/test_cli_relay",
)


class Spread(LoadScopeScheduling):  # type: ignore[misc]
    """Each test goes to whoever is free, in the order of collection: the long ones come first, by their folder's name.

    Tests of the files in ``TOGETHER`` stay with one another.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if nodeid.startswith(TOGETHER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Return how tests are spread; what ``--dist`` says besides is not asked."""
    config.option.loadscopereorder = False
    return Spread(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what takes too long for every run."""
    parser.addoption(
        "--everywhere",
        action="store_true",
        help="run the contracts of the store and the engine on every topology with every server",
    )
