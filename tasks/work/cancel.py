"""Cancelling: at the gateway where it can be done, and plain words where it cannot."""

from collections.abc import Mapping

from ...domain.errors import GatewayUnavailable
from ...domain.record import TaskRecord
from ...providers.provider import Provider
from .. import life
from ..journal import TaskJournal
from ..ports import Clock


class Canceller:
    """Cancels tasks, whichever process works on them."""

    def __init__(self, journal: TaskJournal, providers: Mapping[str, Provider], clock: Clock) -> None:
        self._journal = journal
        self._providers = providers
        self._clock = clock

    async def cancel(self, record: TaskRecord, *, abandon: bool) -> TaskRecord:
        """The record after the attempt; its warnings say what could not be done."""
        if record.final:
            return record
        asked = await self._change(record, lambda r: life.cancel_asked(r, self._clock.now()))
        provider = self._providers.get(record.provider)
        if asked.phase == "polling" and provider is not None and provider.traits.cancels:
            asked = await self._at_gateway(asked, provider)
        if asked.final:
            return asked
        if abandon:
            return await self._change(
                asked,
                lambda r: life.cancelled(r, self._clock.now(), at_gateway=False, ended=False, charged="unknown"),
            )
        return await self._change(
            asked, lambda r: life.with_warnings(r, [_why_not(asked, provider)], self._clock.now())
        )

    async def cancel_accepted(self, record: TaskRecord) -> TaskRecord:
        """The cancel came while the submission was under way: ask the gateway now that there is a job."""
        provider = self._providers.get(record.provider)
        if record.job is None or provider is None or not provider.traits.cancels:
            return record
        if record.phase == "polling":
            return await self._at_gateway(record, provider)
        if record.phase != "watching":
            return record
        try:
            seen = await provider.cancel(record.job)
        except GatewayUnavailable:
            return record
        return await self._change(record, lambda r: life.observed(r, seen, self._clock.now()))

    async def _at_gateway(self, record: TaskRecord, provider: Provider) -> TaskRecord:
        if record.job is None:
            return record
        try:
            seen = await provider.cancel(record.job)
        except GatewayUnavailable as error:
            text = f"{provider.name} did not take the request to cancel: {error.message}"
            return await self._change(record, lambda r: life.with_warnings(r, [text], self._clock.now()))
        if seen.state in ("succeeded", "failed"):
            return await self._change(record, lambda r: life.poll_due(r, self._clock.now(), self._clock.now()))
        free, ended = provider.traits.free, seen.state == "cancelled"
        charged = seen.failure.charged if seen.failure else "no" if free else "unknown"
        return await self._change(
            record, lambda r: life.cancelled(r, self._clock.now(), at_gateway=True, ended=ended, charged=charged)
        )

    async def _change(self, record: TaskRecord, transition: life.Transition) -> TaskRecord:
        return await self._journal.change(record.task_id, transition, as_worker=False) or record


def _why_not(record: TaskRecord, provider: Provider | None) -> str:
    if record.phase in ("submitting", "reconciling"):
        return (
            "The submission was under way when this was to be cancelled: it is as soon as there is a job, where the "
            "gateway can, and goes to no other gateway. "
            "Call cancel_task with abandon=true to give the task up now."
        )
    if provider is not None and not provider.traits.cancels:
        return (
            f"{record.provider} cannot cancel a job: it goes on and may be charged. "
            "Call cancel_task with abandon=true to give it up here all the same."
        )
    return f"{record.provider} has not cancelled the job; it goes on and may be charged."
