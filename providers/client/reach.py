"""From where inside the user's network a gateway's results may come: its answer is data from outside.

* A public address may always be fetched from, a link-local one never (169.254.0.0/16 is where clouds keep secrets).
* The gateway's own scheme, host and port, and the origins that `result_origins` of its settings names, always may.
* With the gateway on loopback, results may come from that very address: from its own port, or from one of those that
  systems hand out to programs that asked for none (32768 and up, as for a simulator's media). What is meant to stay
  on this machine, such as a database or an administration page, does not listen there.
* With the gateway on a private address, results may come from private addresses, as storage is often beside it, and
  never from this machine.
"""

from collections.abc import Collection, Sequence

import httpx

from .addresses import is_link_local, is_loopback, is_private, is_public

HANDED_OUT_PORTS = range(32768, 65536)

Origin = tuple[str, str, int]
"""Scheme, host and port."""


class Reach:
    """What one gateway's results may be fetched from. `base` is its base URL."""

    def __init__(self, base: httpx.URL | None, result_origins: Sequence[str] = ()) -> None:
        self._base = base
        self._origins = {origin(httpx.URL(text)) for text in result_origins}

    def is_own(self, url: httpx.URL) -> bool:
        """Whether a URL is at the gateway itself."""
        return self._base is not None and origin(url) == origin(self._base)

    def permitted(self, url: httpx.URL, addresses: Sequence[str], base_addresses: Collection[str]) -> list[str]:
        """Those of `addresses` (the URL's host's) that may be connected to, as not all of them are public."""
        if any(map(is_link_local, addresses)):
            return []
        if origin(url) in self._origins:
            return list(addresses)
        if self._base is None or not base_addresses or any(map(is_public, base_addresses)):
            return []
        if any(map(is_loopback, base_addresses)):
            near = port(url) == port(self._base) or port(url) in HANDED_OUT_PORTS
            return [address for address in addresses if near and address in base_addresses]
        return list(addresses) if all(map(is_private, addresses)) else []


def port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def origin(url: httpx.URL) -> Origin:
    return url.scheme, url.host, port(url)
