"""What ``relay check`` says of the settings and of the texts."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from relay.commands.checklist import Item, error, ok, remark, warning
from relay.errors import ConfigError
from relay.settings import Settings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def settings_items(settings: Settings) -> list[Item]:
    """Return what the settings are worth beyond their types."""
    source = str(settings.source) if settings.source is not None else "no file: every setting has its default"
    return [
        ok("configuration", source),
        _public_url(settings),
        _tls(settings),
        _redis(settings),
        _ack_secret(settings),
        _understood("egress.allow", settings.egress.allow, _egress),
        _understood("api.trusted_proxies", settings.api.trusted_proxies, _proxies),
        _workers(settings),
    ]


def text_items() -> list[Item]:
    """Return whether the texts can be made, and which nobody has approved."""
    from relay.messages.phrasebook import LANGUAGES, drafts
    from relay.messages.render import warm

    try:
        warm()
    except Exception as trouble:  # noqa: BLE001 -- a broken template can raise anything, and is told as what it is
        return [error("texts", f"a template or phrase table is broken: {trouble}")]
    unapproved = drafts()
    found = [ok("texts", f"templates and phrase tables for {', '.join(LANGUAGES)}")]
    if unapproved:
        text = f"no native reader has approved {', '.join(unapproved)} yet; the words are drafts"
        found.append(warning("texts", text))
    return found


def _public_url(settings: Settings) -> Item:
    if not settings.public_url:
        return warning(
            "public_url", f"is empty: links in messages lead to {settings.base_url}, good for trying out only"
        )
    parts = urlsplit(settings.public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return error("public_url", f"{settings.public_url} is no address; write for example https://warn.example")
    if parts.scheme == "http":
        return warning("public_url", "is plain http: acknowledgements travel in clear")
    return ok("public_url", settings.public_url)


def _tls(settings: Settings) -> Item:
    cert, key = settings.api.tls_cert, settings.api.tls_key
    if not cert and not key:
        if settings.api.host in _LOOPBACK:
            return ok("api", f"plain http on {settings.api.host}:{settings.api.port}, for this machine alone")
        text = f"plain http on {settings.api.host}: keys travel in clear unless a proxy with TLS stands in front"
        return warning("api", text)
    if not (cert and key):
        return error("api", f"api.{'tls_key' if cert else 'tls_cert'} is missing: a certificate needs both files")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as trouble:
        return error("api", f"the certificate {cert} with {key} cannot be used: {trouble}")
    return ok("api", f"https on {settings.api.host}:{settings.api.port}")


def _redis(settings: Settings) -> Item:
    if not settings.redis.url:
        return ok("redis", f"a private server of the relay's own in {settings.data_dir / 'redis'}")
    from relay.redact import mask
    from relay.store.connection import Connection

    try:
        Connection(settings.redis.url, timeout=settings.redis.timeout)
    except (ConfigError, ValueError) as trouble:
        return error("redis.url", str(trouble))
    return ok("redis.url", mask(settings.redis.url))


def _ack_secret(settings: Settings) -> Item:
    from relay.node import ack_secret

    try:
        ack_secret(settings.data_dir, settings)
    except ConfigError as trouble:
        return error("ack_secret_file", str(trouble))
    if settings.ack_secret_file:
        return ok("ack_secret_file", f"{settings.ack_secret_file}: the same must be on every machine")
    return ok(
        "ack_secret_file", "none: the secret of links is kept in data_dir, and workers elsewhere get it through Redis"
    )


def _workers(settings: Settings) -> Item:
    if settings.engine.workers == 0:
        return remark("engine.workers", "is 0: this relay accepts, and others must send (`relay serve --role worker`)")
    return ok("engine.workers", str(settings.engine.workers))


def _understood(name: str, entries: tuple[str, ...], read: Callable[[tuple[str, ...]], object]) -> Item:
    try:
        read(entries)
    except (ConfigError, ValueError) as trouble:
        return error(name, str(trouble))
    return ok(name, ", ".join(entries) or "nothing")


def _egress(entries: tuple[str, ...]) -> object:
    from relay.directory.egress import Guard

    return Guard(allow=entries)


def _proxies(entries: tuple[str, ...]) -> object:
    from relay.api.remote import Proxies

    return Proxies(entries)


def readable(path: Path) -> str:
    """Return why a file cannot be read, empty when it can."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as trouble:
        return trouble.strerror or "it cannot be read"
    return ""
