"""Waiting for inputs: a request that names what another task has still to make goes out once that is there.

Nothing of it is at a gateway meanwhile, so any process may go on with it; whoever writes it as `submitting` sends it.
"""

import logging
from datetime import timedelta

from ...domain.errors import ConfirmationNeeded, FailureError, OverBudget, RequestRefused
from ...domain.failure import failure, standing_hint
from ...domain.record import TaskRecord
from ...domain.request import GenerationRequest
from .. import life
from ..intake.intake import NOTHING_GIVEN, Completed, Given, Intake
from ..journal import TaskJournal
from ..ports import Clock

logger = logging.getLogger(__name__)

PAUSE_FIRST_SECONDS, PAUSE_LONGEST_SECONDS = 0.5, 5.0
PAUSE_SHARE = 0.05
"""Of the time that it has waited: an input that takes long is not looked for all the time."""


class InputWait:
    """Decides whether the inputs of a waiting request are there, and keeps those that came as bytes."""

    def __init__(self, journal: TaskJournal, intake: Intake, clock: Clock) -> None:
        self._journal = journal
        self._intake = intake
        self._clock = clock
        self._given: dict[str, Given] = {}

    def remember(self, record: TaskRecord, request: GenerationRequest) -> None:
        """Keep what came with the call and stands in no record: bytes, and secrets."""
        media = [medium for medium in request.media if medium.data is not None and medium.given is None]
        options = request.provider_options if request.provider_options != record.request.provider_options else None
        if media or options is not None:
            data = {medium.sha256 or "": medium.data or b"" for medium in media}
            self._given[record.task_id] = Given(data, options)

    def forget(self, task_id: str) -> None:
        """It was sent, or will not be."""
        self._given.pop(task_id, None)

    def pause_seconds(self, record: TaskRecord) -> float:
        """How long to wait before the next look for the inputs."""
        waited = (self._clock.now() - record.created_at).total_seconds()
        return min(max(PAUSE_FIRST_SECONDS, PAUSE_SHARE * waited), PAUSE_LONGEST_SECONDS)

    async def completed(self, record: TaskRecord) -> Completed | None:
        """The request with all its inputs, and to whom it goes; `None` while one is not there.

        Raises:
            RequestRefused: it will never be sent.
            StoreError.
        """
        return await self._intake.completed(record, self._given.get(record.task_id, NOTHING_GIVEN))

    async def release(self, record: TaskRecord, completed: Completed) -> TaskRecord | None:
        """Journal that it is about to be sent; `None` where this call did not do so, and so must not send it.

        Raises:
            RequestRefused: its budget does not leave so much.
            StoreError.
        """
        now = self._clock.now()
        first = completed.candidates[0]
        folder = None if completed.answer_folder is None else str(completed.answer_folder)
        ours = False

        def send(current: TaskRecord) -> TaskRecord:
            nonlocal ours
            sending = life.inputs_there(
                current,
                completed.request,
                first.plan,
                now + timedelta(seconds=first.deadline_seconds),
                now,
                answer_folder=folder,
                chosen=completed.chosen,
                hook=completed.hook,
                quote=first.quote,
                warnings=completed.warnings,
            )
            ours = sending is not current and sending.phase == "submitting"
            return sending

        try:
            within = self._intake.bounds(record, first)
            after = await self._journal.change(record.task_id, send, durable=True, within=within)
        except OverBudget as over:
            raise self._intake.refusal(over, first) from over
        self.forget(record.task_id)
        return after if ours else None

    async def give_up(self, record: TaskRecord, refusal: FailureError) -> TaskRecord | None:
        """The record of a request that is never sent."""
        logger.info("waiting request not sent", extra={"task_id": record.task_id, "problem": refusal.message})
        self.forget(record.task_id)
        hint = refusal.hint if isinstance(refusal, RequestRefused) else None
        estimate = record.estimate
        if isinstance(refusal, ConfirmationNeeded):
            hint, estimate = standing_hint(refusal.reason, "no"), refusal.estimate
        why = failure(
            refusal.reason,
            f"The request waited for its inputs and is not sent: {refusal.message}",
            charged="no",
            hint=hint or "Nothing was sent or charged; see what became of its parents, then call again.",
        )
        return await self._journal.change(
            record.task_id, lambda r: life.inputs_never_come(r, why, self._clock.now(), estimate=estimate)
        )
