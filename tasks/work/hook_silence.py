"""Which gateways' hooks do not come, learned from jobs that ended without one; kept in the store."""

import logging

from ...domain.errors import StoreError
from ..ports import Clock, SideValues

logger = logging.getLogger(__name__)

SILENT_AFTER = 3
"""So many jobs in a row that ended without a hook, and the gateway is looked at as if it could not call."""

FRESH_SECONDS = 10.0
"""Other processes learn too, and hooks come to any of them: what was read is good for so long."""


class HookSilence:
    """How many jobs in a row ended without a hook, by provider."""

    def __init__(self, values: SideValues, clock: Clock) -> None:
        self._values = values
        self._clock = clock
        self._missed: dict[str, tuple[int, float]] = {}

    async def meet(self, provider: str) -> int:
        """Read what is known of a provider, unless that was done a moment ago."""
        known = self._missed.get(provider)
        if known is None or self._clock.elapsed() - known[1] > FRESH_SECONDS:
            self._missed[provider] = await self._stored(provider), self._clock.elapsed()
        return self._missed[provider][0]

    def is_silent(self, provider: str) -> bool:
        """Whether its hooks did not come lately, as far as was read."""
        return self._missed.get(provider, (0, 0.0))[0] >= SILENT_AFTER

    async def ended(self, provider: str) -> None:
        """A job ended, and no hook had come."""
        await self._write(provider, await self._stored(provider) + 1)

    async def came(self, provider: str) -> None:
        """A hook came."""
        if await self.meet(provider):
            await self._write(provider, 0)

    async def _stored(self, provider: str) -> int:
        try:
            kept = await self._values.get_value(_name(provider))
        except StoreError as error:
            logger.warning("learned silence not read", extra={"provider": provider, "problem": error.message})
            return self._missed.get(provider, (0, 0.0))[0]
        number = None if kept is None else kept[0]
        return number if isinstance(number, int) and number >= 0 else 0

    async def _write(self, provider: str, missed: int) -> None:
        self._missed[provider] = missed, self._clock.elapsed()
        try:
            await self._values.set_value(_name(provider), missed)
        except StoreError as error:
            logger.warning("silence not learned", extra={"provider": provider, "problem": error.message})


def _name(provider: str) -> str:
    return f"hooks missed/{provider}"
