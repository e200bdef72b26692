"""Reason codes: stable snake_case words, stored as one byte in a record."""

from __future__ import annotations

#: Append only: the position is stored.  0 is "no reason"; an adapter's own word is ``other``.
REASONS = (
    "",
    "other",
    "attempts_exhausted",
    "alert_expired",
    "alert_cancelled",
    "superseded",
    "no_channel",
    "no_drill_channel",
    "opted_out",
    "recipient_deleted",
    "address_changed",
    "test_mode",
    "timeout",
    "connection_failed",
    "connection_lost",
    "name_not_found",
    "tls_failed",
    "blocked_target",
    "host_busy",
    "rate_limited",
    "throttled",
    "provider_down",
    "adapter_bug",
    "worker_lost",
    "no_receipt",
    "response_lost",
    "rejected",
    "bad_address",
    "auth_failed",
    "redirect_refused",
    "server_error",
    "unsupported",
    "undeliverable",
    "expired_at_provider",
    "deleted_at_provider",
    "queue_full",
    "channel_paused",
    "stopped",
    "integrity",
    "message_refused",
    "mailbox_unavailable",
    "not_bound",
    "invalid_destination",
    "invalid_source",
    "system_error",
    "submit_failed",
)

_CODES = {reason: code for code, reason in enumerate(REASONS)}
OTHER = _CODES["other"]


def code_of(reason: str) -> int:
    """Return the byte for ``reason``; an adapter's own word is stored as ``other``."""
    return _CODES.get(reason, OTHER)


def reason_of(code: int) -> str:
    """Return the word for a stored byte; one written by a newer version reads as ``other``."""
    return REASONS[code] if code < len(REASONS) else REASONS[OTHER]
