"""What is written to a host: the parts of a recipient's URL, and the bytes of a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from yarl import URL

# A URL that is written the way it goes over the wire: nothing to quote, and (see below) no dot segments to take out.
_PLAIN: Final = re.compile(r"(https?://[a-z0-9.-]+(?::[0-9]+)?)(/[A-Za-z0-9_~=&./-]*(?:\?[A-Za-z0-9_~?=&./-]+)?)")
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads: ``host`` is a name or a bare address; ``authority`` is what ``Host`` says."""

    tls: bool
    host: str
    port: int
    authority: str

    @property
    def name(self) -> str:
        """Scheme and authority, written in one way only."""
        return f"{'https' if self.tls else 'http'}://{self.authority}"


def split(url: str) -> tuple[str, bytes]:
    """Return scheme and authority of ``url``, and what follows them as it is written to the host.

    Raises:
        ValueError: it cannot be read.
    """
    plain = _PLAIN.fullmatch(url)
    if plain is not None and "/." not in url:
        return plain[1], plain[2].encode("ascii")
    parsed = URL(url)
    return f"{parsed.scheme}://{parsed.raw_authority}", parsed.raw_path_qs.encode("ascii")


def origin_of(text: str) -> Origin:
    """Return the origin of ``scheme://authority``.

    Raises:
        ValueError: it cannot be read.
    """
    url = URL(text)
    host, port = url.raw_host or "", url.port or 0
    bracketed = f"[{host}]" if ":" in host else host
    authority = bracketed if _PORTS.get(url.scheme) == port else f"{bracketed}:{port}"
    return Origin(url.scheme == "https", host, port, authority)


def headers_of(origin: Origin, *, media: str, user_agent: str) -> bytes:
    """Return the header lines that are the same for every request to ``origin``."""
    lines = {
        "Host": origin.authority,
        "Content-Type": media,
        "User-Agent": user_agent,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
    return "".join([f"{name}: {value}\r\n" for name, value in lines.items()]).encode("latin-1")


def head(path: bytes, headers: bytes, *, message_id: bytes, timestamp: bytes, signature: bytes, length: int) -> bytes:
    """Return the head of a POST; ``headers`` is from :func:`headers_of`; without ``signature`` it goes unsigned."""
    signed = b"webhook-signature: %b\r\n" % signature if signature else b""
    return b"POST %b HTTP/1.1\r\n%bwebhook-id: %b\r\nwebhook-timestamp: %b\r\n%bContent-Length: %d\r\n\r\n" % (
        path,
        headers,
        message_id,
        timestamp,
        signed,
        length,
    )
