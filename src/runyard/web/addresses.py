"""Addresses of this machine: which stay on it, and which others reach it by."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import closing, suppress

#: Addresses for documentation: a datagram socket that is connected to one sends nothing, and has the address by which
#: this machine would reach the network.
_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches a literal address."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return parsed.is_loopback


def machine_addresses(family: socket.AddressFamily = socket.AF_UNSPEC) -> list[str]:
    """Loopback first, then each address that this machine's name or its way to the network has."""
    families = [each for each in _ELSEWHERE if family in (each, socket.AF_UNSPEC)]
    found = ["127.0.0.1", *_of_name(family), *(way for each in families for way in _way_out(each))]
    return list(dict.fromkeys(address for address in found if address == "127.0.0.1" or not is_loopback(address)))


def _of_name(family: socket.AddressFamily) -> list[str]:
    with suppress(OSError):
        return [str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, family)]
    return []


def _way_out(family: socket.AddressFamily) -> list[str]:
    with suppress(OSError), closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
        probe.connect((_ELSEWHERE[family], 9))
        return [str(probe.getsockname()[0])]
    return []
