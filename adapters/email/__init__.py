"""E-mail adapters."""
