"""Where a request really comes from, when some of the way is a trusted proxy."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """Proxies whose ``X-Forwarded-For`` is believed; ``trusted`` holds addresses and CIDR blocks."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted: tuple[Network, ...] = tuple(ipaddress.ip_network(text, strict=False) for text in trusted)

    def client(self, peer: str | None, forwarded: Sequence[str]) -> str:
        """Return the address of the client: the last one that no trusted proxy vouches for.

        ``forwarded`` are the values of all ``X-Forwarded-For`` headers, in order.
        """
        hops = [hop.strip() for value in forwarded for hop in value.split(",")]
        at = peer or ""
        while hops and self._trusts(at):
            at = hops.pop()
        return at if _address(at) is not None else (peer or "")

    def is_local(self, peer: str | None, forwarded: Sequence[str]) -> bool:
        """Whether the client is on this machine; what a proxy forwards is not, unless it says so and is trusted."""
        if forwarded and not self._trusts(peer or ""):
            return False
        address = _address(self.client(peer, forwarded))
        return address is not None and address.is_loopback

    def _trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address
