"""A credential: the text of a key, made once, shown once, and compared by its hash."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets

PREFIX = "chapar"

_KEY_ID_BYTES = 5
_SECRET_BYTES = 20  # 160 bits: SHA-256 alone is enough for a secret that nobody can guess (SEC-012)
_SHAPE = re.compile(rf"{PREFIX}_([a-z2-7]{{8}})_([a-z2-7]{{32}})")
_LONGEST_HEADER = 1024


def mint() -> str:
    """Return a new credential: ``chapar_<key id>_<secret>``, all lower case and safe in a URL."""
    return f"{PREFIX}_{_random(_KEY_ID_BYTES)}_{_random(_SECRET_BYTES)}"


def key_id_of(text: str) -> str:
    """Return the key id in a credential, empty when the text has not the form of one."""
    shape = _SHAPE.fullmatch(text)
    return shape[1] if shape is not None else ""


def digest(text: str) -> str:
    """Return the hash under which a credential is stored: SHA-256 in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def from_header(value: str | None) -> str:
    """Return the credential in an ``Authorization`` header: the token of Bearer, or the password of Basic.

    Old composers turn ``https://agency:KEY@relay.example/`` into Basic by themselves; the user name does not matter.
    Anything else (no header, another scheme, broken base64, far too long) gives an empty string.
    """
    if value is None or len(value) > _LONGEST_HEADER:
        return ""
    scheme, _, rest = value.strip().partition(" ")
    rest = rest.strip()
    match scheme.lower():
        case "bearer":
            return rest
        case "basic":
            return _password(rest)
        case _:
            return ""


def _password(encoded: str) -> str:
    try:
        pair = base64.b64decode(encoded.encode("ascii"), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError):
        return ""
    return pair.partition(":")[2]


def _random(size: int) -> str:
    return base64.b32encode(secrets.token_bytes(size)).decode().rstrip("=").lower()
