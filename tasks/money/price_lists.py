"""The prices in gateways' live lists of models, brought to the models' facts before they are needed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ..intake import offers
from ..intake.routing import Configured
from ..ports import SideValues

FRESH = timedelta(minutes=1)
"""So long nobody looks whether a list has become too old, or was read anew by another process."""


class PriceLists:
    """Lists that were read earlier are joined as they are; only where the price decides one is fetched for it."""

    def __init__(self, configured: Sequence[Configured], values: SideValues) -> None:
        self._configured = tuple(configured)
        self._values = values
        self._joined: set[str] = set()
        self._refreshed: dict[str, datetime] = {}

    async def join(self, provider: str | None, now: datetime, *, fetch: bool) -> None:
        """Join the lists of this provider, or of all.

        Args:
            provider: A provider's name; `None` and `auto` for all.
            now: For how old a list is.
            fetch: Whether the price matters, so that a list that is too old is read anew.
        """
        named = [
            entry
            for entry in self._configured
            if provider in (None, "auto", entry.provider.name) and not entry.provider.traits.free
        ]
        if fetch:
            due = [entry for entry in named if not self._is_fresh(entry.provider.name, now)]
            if not due:
                return
            await offers.refresh(due, self._values, now)
            self._refreshed.update({entry.provider.name: now for entry in due})
            self._joined.update(entry.provider.name for entry in due)
            return
        missing = [entry for entry in named if entry.provider.name not in self._joined and entry.problem is None]
        if not missing:
            return
        await offers.join_lists(missing, self._values, now)
        self._joined.update(entry.provider.name for entry in missing)

    def _is_fresh(self, provider: str, now: datetime) -> bool:
        at = self._refreshed.get(provider)
        return at is not None and abs(now - at) < FRESH
