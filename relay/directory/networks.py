"""Which IP addresses a recipient's URL may lead to, by explicit lists (reference/security.md §5.4, item 5).

``ipaddress.is_global`` is not used: what it means changes between versions of Python.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PUBLIC_V6 = IPv6Network("2000::/3")

# What is not a public host: RFC 6890 and its successors, and relay and anycast blocks that reach no recipient.
_BLOCKED = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # Teredo and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4 embeds any IPv4 address
        "3fff::/20",
    )
)

# Not even an allow-listed *name* may lead here; only an entry that spells out the address may.
_NEVER_BY_NAME = tuple(
    ip_network(text)
    for text in ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "fd00:ec2::/32", "2001::/23", "2002::/16")
)
_NAMEABLE_V6 = (_PUBLIC_V6, IPv6Network("fc00::/7"), IPv6Network("::1/128"))


def parse_address(text: str) -> Address:
    """Return the address in ``text``, without its zone and unwrapped when it is IPv4 mapped into IPv6.

    Raises:
        ValueError: not an address in canonical form.
    """
    address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped if mapped is not None else address


def is_public(address: Address) -> bool:
    """Return whether ``address`` is an ordinary public host; all embeddings of IPv4 in IPv6 are not."""
    if isinstance(address, IPv6Address) and address not in _PUBLIC_V6:
        return False
    return not any(address in network for network in _BLOCKED)


def is_nameable(address: Address) -> bool:
    """Return whether an allow-listed host *name* may resolve to ``address`` (never metadata services or multicast)."""
    if isinstance(address, IPv6Address) and not any(address in network for network in _NAMEABLE_V6):
        return False
    return not any(address in network for network in _NEVER_BY_NAME)


def is_local(address: Address) -> bool:
    """Return whether ``address`` belongs to this machine, by asking the kernel to bind to it.

    Where the kernel binds to foreign addresses too (``ip_nonlocal_bind``) nothing can be told: then False.
    """
    return _binds(address) and not _binds(_FOREIGN[address.version])


_FOREIGN: dict[int, Address] = {4: IPv4Address("192.0.2.1"), 6: IPv6Address("2001:db8::1")}


def _binds(address: Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
