"""What is left on the accounts at the gateways that tell it, asked for at most once a minute."""

import logging
from collections.abc import Sequence

import anyio

from ...domain.errors import RushesError
from ...domain.money import Balance
from ...providers.provider import Provider
from ..intake.routing import Configured
from ..ports import Clock

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60.0
ASKED_SECONDS = 5.0
"""An agent does not wait longer for a balance."""


class Balances:
    """The balances of this process's usable providers."""

    def __init__(self, configured: Sequence[Configured], clock: Clock) -> None:
        self._providers = [
            entry.provider for entry in configured if entry.problem is None and not entry.provider.traits.free
        ]
        self._clock = clock
        self._known: dict[str, tuple[float, Balance | None]] = {}

    async def known(self) -> Sequence[Balance]:
        """Of those that tell it, in configured order; one that cannot be asked is left out."""
        async with anyio.create_task_group() as group:
            for provider in self._providers:
                if self._clock.elapsed() - self._known.get(provider.name, (float("-inf"), None))[0] >= FRESH_SECONDS:
                    group.start_soon(self._ask, provider)
        found = (self._known[provider.name][1] for provider in self._providers)
        return [balance for balance in found if balance is not None]

    async def _ask(self, provider: Provider) -> None:
        found: Balance | None = None
        with anyio.move_on_after(ASKED_SECONDS):
            try:
                account = await provider.check_account()
            except RushesError as error:
                logger.info("balance not read", extra={"provider": provider.name, "problem": error.message})
            else:
                if account.ok and account.balance is not None and account.currency is not None:
                    found = Balance(provider.name, account.balance, account.currency)
        self._known[provider.name] = self._clock.elapsed(), found
