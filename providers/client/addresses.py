"""Where a result may be fetched from: public addresses, as a gateway's answer is data from outside."""

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterator
from functools import lru_cache, partial
from urllib.parse import urljoin, urlsplit

import anyio
import anyio.to_thread

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""From host and port to IP addresses; raises OSError."""

RESOLVE_SECONDS = 10.0

_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, in the system's order of preference.

    Each look-up has a thread of its own, which is left behind when time is up: the few that the event loop has for this
    are needed to connect to other gateways, and whoever names a host may see to it that nobody answers for it.

    Raises:
        OSError: it has none, or could not be resolved in time.
        UnicodeError: it is no name of a host.
    """
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    with anyio.fail_after(RESOLVE_SECONDS):
        found = await anyio.to_thread.run_sync(look_up, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def addresses_of(host: str, port: int) -> list[str]:
    """The same, but that an address is its own and is not looked up.

    Raises:
        OSError, UnicodeError: as for `resolve`.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return await resolve(host, port)
    return [host]


def is_public(address: str) -> bool:
    """False for loopback, private, link-local, reserved and multicast addresses, also inside an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return all(part.is_global and not part.is_multicast for part in _parts(parsed))


@lru_cache(maxsize=256)
def is_loopback_url(url: str) -> bool:
    """Whether a URL's host, as it is written, can only be this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_link_local(address: str) -> bool:
    """True for 169.254.0.0/16 and fe80::/10, also inside an IPv6 address."""
    return any(part.is_link_local for part in _parts_of(address))


def is_loopback(address: str) -> bool:
    """True for this machine, also where the address stands for all that it has."""
    return any(part.is_loopback or part.is_unspecified for part in _parts_of(address))


def is_private(address: str) -> bool:
    """True for an address of one host in the network around this machine."""
    return all(
        not (part.is_global or part.is_loopback or part.is_unspecified or part.is_link_local or part.is_multicast)
        for part in _parts_of(address)
    )


def absolute_url(base_url: str, url: str) -> str:
    """A path is on the gateway's host, below the base URL's prefix unless it starts with that itself."""
    base = base_url.rstrip("/")
    if url.startswith("/") and not url.startswith("//"):
        prefix = urlsplit(base).path
        return (base.removesuffix(prefix) if prefix and url.startswith(f"{prefix}/") else base) + url
    try:
        return url if urlsplit(url).scheme else urljoin(base + "/", url)
    except ValueError:
        return url  # such as https://[x/, which is refused by name when it is to be fetched


def _parts_of(address: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        return list(_parts(ipaddress.ip_address(address)))
    except ValueError:
        return []


def _parts(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in _NAT64):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
