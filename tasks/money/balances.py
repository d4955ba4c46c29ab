"""What is left on the accounts at the gateways that tell it, asked for at most once a minute."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from ...domain.errors import RushesError
from ...domain.money import Balance
from ...providers.provider import Provider
from ..intake.routing import Configured
from ..ports import Clock

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60.0
FAILED_SECONDS = 10.0
"""After a read that failed it is tried again sooner: nothing is known meanwhile."""

ASKED_SECONDS = 5.0
"""An agent does not wait longer for a balance."""


class Balances:
    """The balances of this process's usable providers."""

    def __init__(self, configured: Sequence[Configured], clock: Clock) -> None:
        self._providers = [
            entry.provider for entry in configured if entry.problem is None and not entry.provider.traits.free
        ]
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._asking = anyio.Lock()

    async def known(self) -> Sequence[Balance]:
        """Of those that tell it, in configured order; one that cannot be asked is left out."""
        # Calls that come while the gateways are asked have the same answers.
        async with self._asking, anyio.create_task_group() as group:
            for provider in self._providers:
                if self._clock.elapsed() >= self._known.get(provider.name, _NOT_ASKED).until:
                    group.start_soon(self._ask, provider)
        found = (self._known[provider.name].balance for provider in self._providers)
        return [balance for balance in found if balance is not None]

    async def _ask(self, provider: Provider) -> None:
        found: Balance | None = None
        fresh_seconds = FAILED_SECONDS
        with anyio.move_on_after(ASKED_SECONDS):
            try:
                account = await provider.check_account()
            except RushesError as error:
                logger.info("balance not read", extra={"provider": provider.name, "problem": error.message})
            else:
                if account.ok:
                    fresh_seconds = FRESH_SECONDS
                if account.ok and account.balance is not None and account.currency is not None:
                    found = Balance(provider.name, account.balance, account.currency)
        self._known[provider.name] = _Known(self._clock.elapsed() + fresh_seconds, found)


@dataclass(frozen=True)
class _Known:
    """What a gateway said, and until when it is not asked again."""

    until: float
    balance: Balance | None


_NOT_ASKED = _Known(float("-inf"), None)
