"""Handing a lost job back: looked at first, and never taken from another task."""

from collections.abc import Callable, Mapping

from ...domain.errors import FailureReason, GatewayUnavailable, JobTaken, RequestRefused
from ...domain.job import Job
from ...domain.record import TaskRecord
from ...providers.provider import Provider
from .. import life
from ..journal import TaskJournal
from ..ports import Clock

JOB_ID_CHARACTERS_MAX = 1024

_NO_SUCH_JOB: frozenset[FailureReason] = frozenset({"not_found", "invalid_input", "unsupported"})


class Attacher:
    """Gives a task the job that it lost. `go_on` has the task worked on in this process."""

    def __init__(
        self, journal: TaskJournal, providers: Mapping[str, Provider], clock: Clock, *, go_on: Callable[[str], None]
    ) -> None:
        self._journal = journal
        self._providers = providers
        self._clock = clock
        self._go_on = go_on

    async def attach(self, record: TaskRecord, job_id: str) -> TaskRecord:
        """The record with the job; as it is where it has that job and goes on already.

        Raises:
            RequestRefused: the task needs no job, another task has it, or the gateway does not show it.
            StoreError.
        """
        job_id = job_id.strip()
        if record.set_aside_at is not None and record.job is not None and record.job.job_id == job_id:
            return await self.take_up(record)
        if not job_id or len(job_id) > JOB_ID_CHARACTERS_MAX or not job_id.isprintable():
            raise RequestRefused("invalid_input", "job_id is no id that a gateway could have given.")
        if record.job is not None and record.job.job_id == job_id and record.open:
            return record
        reason = life.why_not_attached(record, job_id)
        if reason is not None:
            raise _refused("invalid_input", record, f"it takes no other job, because {reason}", _CHECK)
        holder = await self._journal.holder_of(record.provider, job_id)
        if holder not in (None, record.task_id):
            raise _taken(record, job_id, str(holder))
        job = Job(job_id=job_id, model=record.model, details=record.plan_details)
        await self._look(record, job)
        worker = self._journal.worker
        try:
            after = await self._journal.change(
                record.task_id,
                lambda r: life.attached(r, job, self._clock.now(), worker=worker),
                as_worker=False,
                durable=True,
                claims_job=True,
                reopens=True,
            )
        except JobTaken as taken:
            raise _taken(record, job_id, taken.task_id) from taken
        self._go_on(record.task_id)
        return after or record

    async def take_up(self, record: TaskRecord) -> TaskRecord:
        """The record, no longer set aside, in this process's hands; any other as it is.

        Raises:
            StoreError.
        """
        worker, now = self._journal.worker, self._clock.now()
        taken = await self._journal.change(record.task_id, lambda r: life.taken_up(r, worker, now), as_worker=False)
        self._go_on(record.task_id)
        return taken or record

    async def _look(self, record: TaskRecord, job: Job) -> None:
        provider = self._providers.get(record.provider)
        if provider is None:
            why = f"{record.provider}, where its job would be, is not configured here"
            raise _refused("unsupported", record, why, "Set its key, then try again.")
        try:
            await provider.poll(job)
        except GatewayUnavailable as error:
            if error.reason in _NO_SUCH_JOB:
                why = f"{record.provider} does not show a job {job.job_id!r} of {record.model}: {error.message}"
                raise _refused("not_found", record, why, "Check the id on the gateway's dashboard.") from error
            why = f"the job could not be looked at: {error.message}"
            raise _refused(error.reason, record, why, "Try again later; nothing was changed.") from error


_CHECK = "Call check_task without job_id to see how it is."


def _taken(record: TaskRecord, job_id: str, holder: str) -> RequestRefused:
    why = f"the job {job_id!r} belongs to task {holder}"
    return _refused("invalid_input", record, why, "Check the id on the gateway's dashboard.")


def _refused(reason: FailureReason, record: TaskRecord, why: str, hint: str) -> RequestRefused:
    message = f"Task {record.task_id} was left as it is: {why.removesuffix('.')}."
    return RequestRefused(reason, message, charged="unknown", hint=hint)
