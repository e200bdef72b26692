"""Real servers for the tests of this folder that send through the engine."""

from tests.contract.conftest import redis, server_url

__all__ = ["redis", "server_url"]
