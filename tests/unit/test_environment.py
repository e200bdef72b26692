"""Variables over the configuration file: known names only, lists as JSON, channels freely."""

from typing import Any

import pytest

from relay.environment import override
from relay.errors import ConfigError

KNOWN = ("RELAY_API__PORT", "RELAY_EGRESS__ALLOW", "RELAY_DATA_DIR")


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("RELAY_API__PORT", "9000", {"api": {"host": "h", "port": "9000"}}),
        ("RELAY_EGRESS__ALLOW", '["a:1"]', {"api": {"host": "h"}, "egress": {"allow": ["a:1"]}}),
        ("RELAY_DATA_DIR", "[no list", {"api": {"host": "h"}, "data_dir": "[no list"}),
        ("RELAY_CHANNELS__SMS__RATE", "true", {"api": {"host": "h"}, "channels": {"sms": {"rate": True}}}),
        ("RELAY_CONFIG", "x", {"api": {"host": "h"}}),
        ("HOME", "x", {"api": {"host": "h"}}),
    ],
)
def test_variable_is_laid_over_the_file(name: str, text: str, values: dict[str, Any]) -> None:
    """A variable changes its setting and nothing else; what is not ours is ignored."""
    found: dict[str, Any] = {"api": {"host": "h"}}
    override(found, {name: text}, known=KNOWN)

    assert found == values


def test_mistyped_name_is_an_error() -> None:
    """A safety setting that is mistyped is never silently ignored."""
    with pytest.raises(ConfigError, match="Did you mean RELAY_API__PORT"):
        override({}, {"RELAY_API__PROT": "1"}, known=KNOWN)


def test_table_is_no_setting() -> None:
    """A value where a table stands is an error."""
    with pytest.raises(ConfigError, match="api is not a table"):
        override({"api": 1}, {"RELAY_API__PORT": "1"}, known=KNOWN)
