"""Options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what takes too long for every run."""
    parser.addoption(
        "--everywhere",
        action="store_true",
        help="run the contracts of the store and the engine on every topology with every server",
    )
