"""``relay version``."""

import pytest

from relay.commands import version


def test_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree that is run without being installed says so."""
    monkeypatch.setattr(version, "DISTRIBUTION", "no-such-distribution-here")

    assert version.installed() == "not installed as a package"
