"""The accounts at the gateways: whether the key works, and what is left; asked for at most once a minute."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from ...domain.errors import RushesError
from ...domain.money import Balance
from ...providers.provider import AccountCheck, Provider
from ..intake.routing import Configured
from ..ports import Clock

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60.0
FAILED_SECONDS = 10.0
"""After a read that failed it is tried again sooner: nothing is known meanwhile."""

ASKED_SECONDS = 5.0
"""An agent does not wait longer for a balance."""


class Balances:
    """The accounts of this process's providers."""

    def __init__(self, configured: Sequence[Configured], clock: Clock, *, asked_seconds: float = ASKED_SECONDS) -> None:
        """`asked_seconds`: how long a gateway may take to answer."""
        self._paid = [
            entry.provider for entry in configured if entry.problem is None and not entry.provider.traits.free
        ]
        self._clock = clock
        self._asked_seconds = asked_seconds
        self._known: dict[str, _Known] = {}
        self._asking: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    async def known(self) -> Sequence[Balance]:
        """Of the usable ones that tell it, in configured order; one that cannot be asked is left out."""
        async with anyio.create_task_group() as group:
            for provider in self._paid:
                group.start_soon(self.account, provider)
        found = ((provider.name, self._known[provider.name].account) for provider in self._paid)
        return [
            Balance(name, account.balance, account.currency)
            for name, account in found
            if account.ok and account.balance is not None and account.currency is not None
        ]

    async def account(self, provider: Provider) -> AccountCheck:
        """What the cheapest read of the account says now, or said a moment ago."""
        # Calls that come while the gateway is asked have the same answer.
        async with self._asking[provider.name]:
            known = self._known.get(provider.name)
            if known is None or self._clock.elapsed() >= known.until:
                found = await self._read(provider)
                fresh_seconds = FRESH_SECONDS if found.ok else FAILED_SECONDS
                known = self._known[provider.name] = _Known(self._clock.elapsed() + fresh_seconds, found)
        return known.account

    async def _read(self, provider: Provider) -> AccountCheck:
        with anyio.move_on_after(self._asked_seconds):
            try:
                return await provider.check_account()
            except RushesError as error:
                logger.info("account not read", extra={"provider": provider.name, "problem": error.message})
                return AccountCheck(ok=False, message=error.message)
        return AccountCheck(ok=False, message=f"no answer within {self._asked_seconds:g} s")


@dataclass(frozen=True)
class _Known:
    """What a gateway said, and until when it is not asked again."""

    until: float
    account: AccountCheck
