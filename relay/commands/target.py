"""Which relay a command talks to, and with which key: never one that stands on the command line."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from relay.commands.failures import Failed
from relay.settings import Settings

ADMIN_KEY = "admin.key"

_ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 -- an address to call, not to listen on


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A relay; ``key`` is empty when ``key_file`` is not there.  ``pinned`` is the certificate that it must show.

    ``pinned`` None leaves the certificate to the machine's authorities.
    """

    url: str
    key: str
    key_file: Path
    pinned: Path | None = None

    def tls(self) -> ssl.SSLContext | None:
        """Return the check of the relay's certificate, None for the usual one.

        Raises:
            Failed: the certificate cannot be read.
        """
        if self.pinned is None:
            return None
        context = ssl.create_default_context()
        # We call a loopback address, which the certificate does not name; it must be the very one that is configured.
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(cafile=self.pinned)
        except (OSError, ssl.SSLError) as error:
            raise Failed(f"the certificate {self.pinned} (api.tls_cert) cannot be read: {error}") from error
        return context


def find(settings: Settings, *, url: str = "", key_file: Path | None = None) -> Target:
    """Return the relay that ``settings`` describe, or the one at ``url``.

    Raises:
        Failed: the key file is there and cannot be read.
    """
    own = local_url(settings)
    path = key_file or settings.data_dir / ADMIN_KEY
    pinned = Path(settings.api.tls_cert) if settings.api.tls_cert and not url else None
    return Target(url=(url or own).rstrip("/"), key=_read_key(path), key_file=path, pinned=pinned)


def local_url(settings: Settings) -> str:
    """Return where a relay with these settings is reached from its own machine."""
    host = settings.api.host
    host = _ANY.get(host, f"[{host}]" if ":" in host else host)
    scheme = "https" if settings.api.tls_cert else "http"
    return f"{scheme}://{host}:{settings.api.port}"


def _read_key(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Failed(f"the key file {path} cannot be read: {error.strerror}. Name another with --key-file.") from error
    except UnicodeDecodeError as error:
        raise Failed(f"{path} holds no key: it is not plain text. Name another with --key-file.") from error
    if len(text.split()) != 1:
        raise Failed(f"{path} holds no key: it must be one word on one line. Name another with --key-file.")
    return text
