"""Holding: a request that its gateway refused for now waits, unsent, and is sent once the time that was named is over.

Only a definite refusal is held, so nothing of the request is at a gateway while it waits, and any process may send it:
the record is written as `submitting` before the POST leaves, as for a first one.
"""

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ...domain.errors import ConfirmationNeeded, FailureError, RequestRefused, SubmissionRefused
from ...domain.failure import Failure, failure, failure_of, standing_hint
from ...domain.record import TaskRecord
from ...domain.request import GenerationRequest
from .. import life
from ..intake.intake import see_no_stand_in
from ..intake.routing import Candidate, Configured, route
from ..journal import TaskJournal
from ..ports import Clock
from ..steady import SteadyTime
from .rates import WINDOW_SECONDS

logger = logging.getLogger(__name__)

WAIT_MIN_SECONDS = 1.0
"""A gateway that names hardly any time would be asked in a loop; it doubles with each refusal."""
SPREAD = 0.1
"""Requests that were refused together come again within a time longer by up to this part, not all at once."""


@dataclass(frozen=True)
class HoldLimits:
    """How long a request may wait for a gateway that takes none now, and how often it may be refused meanwhile."""

    seconds_max: float = 900.0
    tries_max: int = 8


@dataclass(frozen=True)
class Wait:
    """What is waited for: this candidate, for so many seconds."""

    candidate: Candidate
    seconds: float
    why: str


class Holding:
    """Decides what is held and for how long, and keeps what it takes to send it when its time is over."""

    def __init__(
        self,
        journal: TaskJournal,
        configured: Sequence[Configured],
        clock: Clock,
        limits: HoldLimits,
        *,
        at_hand: Callable[[TaskRecord], Awaitable[GenerationRequest]],
        spread: Callable[[], float] = random.random,  # noqa: S311
    ) -> None:
        self._journal = journal
        self._configured = configured
        self._clock = clock
        self._limits = limits
        self._at_hand = at_hand
        self._spread = spread
        self._steady = SteadyTime(clock)
        self._candidates: dict[str, Sequence[Candidate]] = {}
        """With the bytes of input media, which no record holds."""

    def wait_for(self, record: TaskRecord, refusals: Sequence[tuple[Candidate, SubmissionRefused]]) -> Wait | None:
        """The refusal that is over soonest, if one named a time that is within the limits."""
        tries = record.hold.tries if record.hold else 0
        left = self._limits.seconds_max - (record.hold.seconds if record.hold else 0.0)
        waits = [
            Wait(candidate, self._seconds(told, tries), refusal.message)
            for candidate, refusal in refusals
            if (told := asked_to_wait(refusal)) is not None and told <= left
        ]
        return min(waits, key=lambda wait: wait.seconds) if waits and tries < self._limits.tries_max else None

    def _seconds(self, told: float, tries: int) -> float:
        growing = WAIT_MIN_SECONDS * 2.0 ** min(tries, 6)
        return max(told, growing) * (1 + SPREAD * self._spread())

    def refusal(self, record: TaskRecord, refused: SubmissionRefused) -> Failure:
        """The failure of a request that is not held (any longer)."""
        why = failure_of(refused)
        told = asked_to_wait(refused)
        if told is None or refused.hint is not None:
            return why
        tries = record.hold.tries if record.hold else 0
        if tries:
            also = f"; it was refused {tries + 1} times by now"
        elif told > self._limits.seconds_max:
            also = f", which is longer than requests are held ({self._bound})"
        else:
            also = ""
        return why.model_copy(update={"hint": f"Call again in {told:.0f} s{also}."})

    @property
    def _bound(self) -> str:
        return f"limits.hold_seconds_max = {self._limits.seconds_max:g}"

    def remember(self, task_id: str, candidates: Sequence[Candidate]) -> None:
        """Keep the plans of a request that is held now, in the order in which they are tried."""
        self._candidates[task_id] = candidates
        self._steady.meet_again(task_id)

    def forget(self, task_id: str) -> None:
        """It was sent, or will not be."""
        self._candidates.pop(task_id, None)
        self._steady.forget(task_id)

    def left_seconds(self, record: TaskRecord) -> float:
        """Seconds until a held request may be sent."""
        if record.hold is None:
            return 0.0
        left = (record.hold.until - self._steady.now(record.task_id)).total_seconds()
        return min(max(0.0, left), max(self._limits.seconds_max, WINDOW_SECONDS))

    async def candidates(self, record: TaskRecord) -> Sequence[Candidate]:
        """To whom a held request goes now that its time is over.

        Raises:
            RequestRefused: it cannot be sent any more.
        """
        return self._candidates.get(record.task_id) or await self._planned_again(record)

    async def _planned_again(self, record: TaskRecord) -> Sequence[Candidate]:
        """The plan of a request that another process held.

        Raises:
            RequestRefused: it cannot be sent from here, or its time is long over.
        """
        late = self._clock.now() - record.hold.until if record.hold else timedelta(0)
        if late > timedelta(seconds=self._limits.seconds_max):
            raise RequestRefused("rate_limited", "no rushes was running when its time came, and that is long ago")
        request = (await self._at_hand(record)).model_copy(update={"model": record.model})
        candidates = route(request, self._configured, record.provider).candidates
        # After the gateway's own word on its field, which knows where the secret could come from.
        see_no_stand_in(request.provider_options)
        return candidates

    async def give_up(self, record: TaskRecord, refusal: FailureError) -> TaskRecord | None:
        """The record of a request that is not sent any more."""
        logger.info("held request not sent", extra={"task_id": record.task_id, "problem": refusal.message})
        about_money = refusal.reason in ("budget_exceeded", "confirmation_needed")
        hint = refusal.hint or (standing_hint(refusal.reason, "no") if about_money else None)
        why = failure(
            refusal.reason,
            f"The request was held for {record.provider} and is not sent any more: {refusal.message.rstrip('.')}.",
            charged="no",
            retry_safe=not about_money,
            hint=hint or "Nothing was sent or charged; call again if it is still wanted.",
        )
        estimate = refusal.estimate if isinstance(refusal, ConfirmationNeeded) else record.estimate
        return await self._journal.change(
            record.task_id, lambda r: life.never_sent(r, why, self._clock.now(), estimate=estimate)
        )


def asked_to_wait(refusal: SubmissionRefused) -> float | None:
    """So many seconds the gateway asks to wait, where it refused for its rate alone and named a time."""
    return refusal.retry_after_seconds if refusal.reason == "rate_limited" else None
