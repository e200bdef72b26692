"""The lists of addresses that are, and are not, public."""

from __future__ import annotations

import pytest

from relay.directory.networks import is_local, is_nameable, is_public, parse_address

BLOCKED = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255"),
    *("127.0.0.1", "127.255.255.254", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.1", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.1.1"),
    *("192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::8.8.8.8", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254"),
    *("ff02::1", "5f00::1", "3fff::1", "2001:db8::1", "2001::1", "2001:1ff::1", "2002:808:808::1"),
    *("64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "4000::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255"]
PUBLIC += ["172.32.0.0", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"]
PUBLIC += ["2001:200::1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", BLOCKED)
def test_reserved_addresses_are_not_public(text: str) -> None:
    """Nothing reserved, private, shared, embedded or multicast counts as a public host."""
    assert not is_public(parse_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_neighbours_of_reserved_blocks_are_public(text: str) -> None:
    """The lists end where the registries say, so that no ordinary host is cut off."""
    assert is_public(parse_address(text))


@pytest.mark.parametrize("text", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fd12::1", "8.8.8.8", "2a00::1"])
def test_allow_listed_names_may_lead_to_private_hosts(text: str) -> None:
    """On-premises targets are named by operators, so loopback and private ranges are possible for them."""
    assert is_nameable(parse_address(text))


@pytest.mark.parametrize(
    "text", ["169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1", "64:ff9b::1"]
)
def test_no_name_leads_to_metadata_services(text: str) -> None:
    """A name on the allow-list that is rebound to a metadata service or multicast is still refused."""
    assert not is_nameable(parse_address(text))


def test_own_addresses_are_known_by_binding() -> None:
    """The machine's own addresses are found without listing its interfaces; foreign ones are not its own."""
    assert is_local(parse_address("127.0.0.1"))
    assert not is_local(parse_address("8.8.8.8"))


@pytest.mark.parametrize("text", ["127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "1.2.3", "example", ""])
def test_only_canonical_addresses_parse(text: str) -> None:
    """Short, octal, hexadecimal and decimal forms are no addresses here."""
    with pytest.raises(ValueError, match="does not appear"):
        parse_address(text)
