"""What providers have in common whose work is done on this machine: no live list, no jobs to find, no account."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from ..domain.job import Job, Plan
from ..domain.model_facts import ModelFacts
from ..domain.request import Kind
from .provider import AccountCheck


class OwnWork:
    """Base of a provider that is no gateway."""

    def unlisted_model(self, name: str, kind: Kind) -> ModelFacts | None:  # noqa: ARG002
        """None: there are no other models."""
        return None

    async def refresh_models(self) -> Sequence[ModelFacts] | None:
        """Nothing to ask."""
        return None

    def add_models(self, live: Sequence[ModelFacts]) -> None:
        """Nothing to join: there is no live list."""

    async def find_job(self, plan: Plan, age: timedelta, *, known: Collection[str] = ()) -> Job | None:  # noqa: ARG002
        """Not supported: see `traits`."""
        return None

    async def check_account(self) -> AccountCheck:
        """Always well: there is no account."""
        return AccountCheck(ok=True, message="built in, free, no key needed")
