"""Webhook adapters."""
