"""A submission that was found in flight: nobody here has sent it, so it is not sent again unless it costs nothing."""

import logging
from collections.abc import Sequence

from ...domain.errors import RequestRefused
from ...domain.job import Observation, Submission
from ...domain.record import TaskRecord
from .. import life
from ..intake.routing import Candidate, Configured, route
from ..journal import TaskJournal
from ..ports import Clock, MediaStore
from .rebuild import restored
from .receipt_book import ReceiptBook
from .rescue import Rescuer

logger = logging.getLogger(__name__)


class Resumer:
    """Finds out what became of a submission whose process died, or whose step failed."""

    def __init__(
        self,
        journal: TaskJournal,
        media: MediaStore,
        book: ReceiptBook,
        configured: Sequence[Configured],
        clock: Clock,
        rescuer: Rescuer,
    ) -> None:
        self._journal = journal
        self._media = media
        self._book = book
        self._configured = configured
        self._providers = {c.provider.name: c.provider for c in configured}
        self._clock = clock
        self._rescuer = rescuer

    def free_candidates(self, record: TaskRecord) -> Sequence[Candidate]:
        """To whom the submission may go once more, because it costs nothing there; mostly nobody."""
        provider = self._providers.get(record.provider)
        if provider is None or not provider.traits.repeatable or record.final:
            return ()
        request = record.request.model_copy(update={"model": record.model})
        try:
            return route(request, self._configured, provider.name).candidates
        except RequestRefused as refusal:
            logger.warning(
                "free submission not repeated", extra={"task_id": record.task_id, "problem": refusal.message}
            )
            return ()

    async def resume(self, record: TaskRecord) -> TaskRecord | None:
        """The record with what is left of the answer: files, a receipt, or the word that it was lost.

        Raises:
            StoreError.
        """
        now = self._clock.now()
        answered = await restored(self._media, record)
        if answered is not None:
            return await self._journal.change(record.task_id, lambda r: life.answered_on_disk(r, answered, now))
        job = await self._book.job_of(record)
        if job is not None:
            accepted = Submission(job=job, observation=Observation(state="queued"))
            return await self._journal.change(record.task_id, lambda r: life.accepted(r, accepted, now), durable=True)
        found = await self._rescuer.rescue(record)
        provider = self._providers.get(record.provider)
        finds = provider is not None and provider.traits.finds_jobs
        why = life.answer_unknown(record)
        after = await self._journal.change(
            record.task_id,
            lambda r: life.lost(life.rescued(r, found, now), why, now, reconcilable=finds),
            durable=True,
        )
        await self._rescuer.write_sidecars(after, found)
        return after
