"""The examples are configurations that the relay takes."""

import tomllib

import pytest
from pydantic import BaseModel

from relay.commands.channel_examples import EXAMPLES, bare_example
from relay.fanout.channels import adapter_class, describe
from relay.settings import Settings


@pytest.mark.parametrize("adapter", EXAMPLES)
def test_example_can_be_used(adapter: str) -> None:
    """Copied as it is, the block passes the settings and the adapter's own model."""
    settings = Settings.model_validate(tomllib.loads(EXAMPLES[adapter]))
    used = [(name, channel) for name, channel in settings.channels.items() if channel.adapter == adapter]

    assert used
    for name, channel in used:
        describe(name, channel)


@pytest.mark.parametrize("adapter", EXAMPLES)
def test_example_is_of_an_installed_adapter(adapter: str) -> None:
    """Nobody is shown what he cannot use."""
    assert adapter_class(adapter).descriptor.name == adapter


def test_foreign_adapter_gets_a_block_with_its_settings() -> None:
    """What is needed stands open, what has a default is commented out."""

    class Siren(BaseModel):
        host: str
        volume: int = 11

    lines = bare_example("siren", Siren).splitlines()

    assert "[channels.siren.settings]" in lines
    assert "host =    # str, needed" in lines
    assert "# volume =    # int" in lines
