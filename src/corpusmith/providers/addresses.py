"""Which addresses a call may go to, decided when its socket is made.

Owns: telling metadata, private and public addresses apart, in every way of writing them, and
refusing sockets to those that are not allowed. Does not own: whether private ones are allowed
(`config.py`), what the caller says of it (`transport.py`).

A base URL is what a person typed, and a name may lead elsewhere at each look-up. So nothing is
decided by the URL: the resolver drops what is refused, and the socket is made for one address that
was checked a moment ago, by the function that makes it. Connections that are kept alive cost
nothing of this.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Literal

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from corpusmith.config import private_endpoints

Address = IPv4Address | IPv6Address
Kind = Literal["never", "private", "public"]

NEVER = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16",  # link-local; the metadata service of most clouds
            "fe80::/10",
            "fd00:ec2::/32",  # Amazon's over IPv6
            "fd20:ce::/32",  # Google's over IPv6
            "100.100.100.200/32",  # Alibaba's
            "192.0.0.192/32",  # Oracle's
            "168.63.129.16/32",  # Azure's
            "224.0.0.0/4",  # several at once are no endpoint
            "ff00::/8",
            "255.255.255.255/32",
        ),
    )
)
_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ip_network("::/96")


class AddressRefused(OSError):
    """No socket was made. An OSError, so that other addresses of the host are still tried."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is not allowed")
        self.address = address


class AllowedResolver(AbstractResolver):
    """Looks names up with another resolver, and keeps the addresses that may be called."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError; AddressRefused when all of them are refused."""
        found = await self._inner.resolve(host, port, family)
        allowed = [one for one in found if is_allowed(one["host"])]
        if found and not allowed:
            raise AddressRefused(found[0]["host"])
        return allowed

    async def close(self) -> None:
        await self._inner.close()


def checked_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for this entry of `getaddrinfo`, which is about to be connected to its address.

    Raises AddressRefused.
    """
    family, kind, protocol, _, place = info
    if not is_allowed(str(place[0])):
        raise AddressRefused(str(place[0]))
    return socket.socket(family=family, type=kind, proto=protocol)


def refuse_literal(host: str) -> None:
    """A host that is an address which we may not call, however it is written.

    Raises AddressRefused. Names pass: they are looked up when a socket is made.
    """
    address = _written(host.strip("[]"))
    if address is not None and not is_allowed(str(address)):
        raise AddressRefused(str(address))


def is_allowed(text: str) -> bool:
    """Whether a call may go to this address, as the settings are now."""
    kind = kind_of(text)
    return kind == "public" or (kind == "private" and private_endpoints())


def kind_of(text: str) -> Kind:
    """What an address is. One that carries another (IPv4 in IPv6) is what that one is, if worse."""
    address = ip_address(text.partition("%")[0])
    kinds = {_kind_of(one) for one in (address, _carried(address)) if one is not None}
    return "never" if "never" in kinds else "private" if "private" in kinds else "public"


def _kind_of(address: Address) -> Kind:
    if any(address in network for network in NEVER if network.version == address.version):
        return "never"
    carries = isinstance(address, IPv6Address) and _carried(address) is not None
    # Python calls all of ::ffff:0:0/96 private; what it carries decides.
    return "public" if address.is_global or carries else "private"


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address inside: mapped, NAT64, 6to4, Teredo, or the old compatible form."""
    if isinstance(address, IPv4Address):
        return None
    if address.teredo is not None:
        return address.teredo[1]
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in one for one in _NAT64) or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return last
    return address.ipv4_mapped or address.sixtofour


def _written(host: str) -> Address | None:
    """The address that `host` spells, also as `2130706433`, `0x7f.1` or `0177.0.0.1`."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
