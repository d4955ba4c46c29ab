"""Several small pools of connections in place of a large one, which the HTTP library walks through at each request."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import anyio.to_thread
import httpx

POOL_CONNECTIONS = 1
"""Connections of one pool. At each request the library asks the system about every idle one of its pool, twice: with 16
in one, a request took three times the processor time."""


@dataclass
class _Pool:
    client: httpx.AsyncClient
    connections: int
    requests: int = 0


class Pools:
    """Up to `connections_max` connections. `make` gives a client of so many connections; it may block."""

    def __init__(self, make: Callable[[int], httpx.AsyncClient], connections_max: int) -> None:
        self._make = make
        full, rest = divmod(connections_max, POOL_CONNECTIONS)
        self._sizes = [POOL_CONNECTIONS] * full + [rest] * bool(rest)
        self._pools: list[_Pool] = []
        self._opening = anyio.Lock()

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[httpx.AsyncClient]:
        """The client to send one request with: the first that has a connection to spare, else the least busy."""
        pool = await self._chosen()
        pool.requests += 1
        try:
            yield pool.client
        finally:
            pool.requests -= 1

    async def aclose(self) -> None:
        """Close all; a later request opens anew."""
        pools, self._pools = self._pools, []
        for pool in pools:
            await pool.client.aclose()

    async def _chosen(self) -> _Pool:
        if (found := self._spare()) is not None:
            return found
        async with self._opening:
            while (found := self._spare()) is None and len(self._pools) < len(self._sizes):
                size = self._sizes[len(self._pools)]
                # The first client of a process reads the certificates, which blocks for tens of milliseconds.
                client = await anyio.to_thread.run_sync(self._make, size)
                self._pools.append(_Pool(client, size))
        return found or min(self._pools, key=lambda pool: pool.requests)

    def _spare(self) -> _Pool | None:
        return next((pool for pool in self._pools if pool.requests < pool.connections), None)
