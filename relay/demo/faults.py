"""What ends a scene, or the whole demo, early."""

from __future__ import annotations


class Fault(Exception):
    """Something is not as promised; the message says what, for people."""


class NoStage(Fault):
    """The demo cannot begin: the folder is taken, or the relay does not start."""
