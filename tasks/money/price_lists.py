"""The prices in gateways' live lists of models, brought to the models' facts before they are needed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import anyio

from ..intake import offers
from ..intake.routing import Configured
from ..ports import SideValues

FRESH = timedelta(minutes=1)
"""So long nobody looks whether a list has become too old, or was read anew by another process."""

UNDECIDED_SECONDS = 3.0
"""A call that the price decides nothing of does not wait longer for a gateway's list."""


class PriceLists:
    """Lists that were read earlier are joined as they are. One that is missing or too old is read before the first call
    of a process, so that there is an estimate to reserve, and wherever the price decides something."""

    def __init__(self, configured: Sequence[Configured], values: SideValues) -> None:
        self._configured = tuple(configured)
        self._values = values
        self._joined: set[str] = set()
        self._refreshed: dict[str, datetime] = {}
        self._reading = anyio.Lock()

    async def join(self, provider: str | None, now: datetime, *, decides: bool) -> None:
        """Join the lists of this provider, or of all.

        Args:
            provider: A provider's name; `None` and `auto` for all.
            now: For how old a list is.
            decides: Whether something depends on the price, so that a list is waited for as long as it takes.
        """
        named = [
            entry
            for entry in self._configured
            if provider in (None, "auto", entry.provider.name) and not entry.provider.traits.free
        ]
        if not self._due(named, now, decides=decides):
            return
        # Calls that come while it is read wait for it, and do not ask the gateway once each.
        async with self._reading:
            due = self._due(named, now, decides=decides)
            if decides:
                await offers.refresh(due, self._values, now)
                self._refreshed.update({entry.provider.name: now for entry in due})
            elif due:
                await self._joined_in_time(due, now)
            self._joined.update(entry.provider.name for entry in due)

    def _due(self, named: Sequence[Configured], now: datetime, *, decides: bool) -> Sequence[Configured]:
        if decides:
            return [entry for entry in named if not self._is_fresh(entry.provider.name, now)]
        return [entry for entry in named if entry.provider.name not in self._joined and entry.problem is None]

    async def _joined_in_time(self, due: Sequence[Configured], now: datetime) -> None:
        await offers.join_lists(due, self._values, now)
        with anyio.move_on_after(UNDECIDED_SECONDS):
            await offers.refresh(due, self._values, now)

    def _is_fresh(self, provider: str, now: datetime) -> bool:
        at = self._refreshed.get(provider)
        return at is not None and abs(now - at) < FRESH
