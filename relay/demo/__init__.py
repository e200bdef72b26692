"""The demo: a relay of its own, real receivers on this machine, seven scenes; an outside client (``relay demo``)."""

from __future__ import annotations

from relay.demo.show import main

__all__ = ["main"]
