"""Chapar: an emergency-communication message relay."""

__version__ = "0.1.0"
