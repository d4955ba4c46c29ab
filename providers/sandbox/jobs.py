"""A job in this process: its render in a thread, its clock, and what a look at it says."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from ...domain.errors import FailureError, RushesError
from ...domain.failure import failure, failure_of
from ...domain.job import Observation, RemoteOutput
from .input_bytes import MediaFolder
from .spec import RenderSpec

logger = logging.getLogger(__name__)

POLL_AFTER_SECONDS = 0.2
FAILS_AT = 0.4
"""Progress at which a steered failure happens."""
_EXPIRED_AT = datetime(2000, 1, 1, tzinfo=UTC)
_RENDERS = threading.BoundedSemaphore(2)
"""So many renders draw at once; the others wait for their turn, and are queued."""


class _Stopped(RushesError):
    """The render is not wanted any more; raised inside it, between two frames."""


class RunningJob:
    """One job, from its first look in this process on."""

    def __init__(self, spec: RenderSpec, media: MediaFolder, clock: Callable[[], float]) -> None:
        self._spec, self._media, self._clock = spec, media, clock
        self._began = clock()
        self._cancelled = self._drawing = False
        self._progress = 0.0
        self._outputs: tuple[bytes, ...] | None = None
        self._error: FailureError | None = None
        self._ended = threading.Event()
        self.started = False
        self.hand_outs = 0
        """Looks that got the content."""

    @property
    def ended_without_content(self) -> bool:
        """It was cancelled, or it failed."""
        return self._cancelled or (self._ended.is_set() and self._outputs is None)

    def start(self) -> None:
        """Draw in a thread that ends with the process, once a turn is free."""
        self.started = True
        threading.Thread(target=self._draw, name="rushes sandbox", daemon=True).start()

    def cancel(self) -> None:
        """Stop it, unless it already ended."""
        self._cancelled = self._cancelled or not self._final()

    def look(self) -> Observation:
        """What there is to see now."""
        if self._cancelled:
            stopped = failure("cancelled", "The generation was cancelled. Nothing is charged.", charged="no")
            return Observation(state="cancelled", failure=stopped)
        if not self._final():
            progress = round(min(self._progress, self._pace(), 0.99), 3)
            state = "running" if self._drawing else "queued"
            return Observation(state=state, progress=progress, poll_after_seconds=POLL_AFTER_SECONDS)
        if self._error is not None:
            return Observation(state="failed", failure=failure_of(self._error))
        self.hand_outs += 1
        return Observation(state="succeeded", progress=1.0, outputs=self._delivered())

    def _final(self) -> bool:
        return self._ended.is_set() and self._pace() >= (FAILS_AT if self._spec.steering.fail else 1.0)

    def _pace(self) -> float:
        """The largest progress that `[slow:SECONDS]` allows to show by now; 1 without it."""
        slow = self._spec.steering.slow_seconds
        return min(1.0, (self._clock() - self._began) / slow) if slow else 1.0

    def _delivered(self) -> tuple[RemoteOutput, ...]:
        mime_type, contents = self._spec.mime_type, self._outputs or ()
        if not self._spec.steering.expire:
            return tuple(RemoteOutput(mime_type=mime_type, content=content) for content in contents)
        return tuple(
            RemoteOutput(url=f"https://sandbox.invalid/{n}", expires_at=_EXPIRED_AT, mime_type=mime_type)
            for n in range(len(contents))
        )

    def _advance(self, progress: float) -> None:
        if self._cancelled:
            raise _Stopped("The render was cancelled.")
        reason = self._spec.steering.fail
        if reason is not None and progress >= FAILS_AT:
            message = f"The sandbox failed because the prompt says [fail:{reason}]. Nothing is charged."
            raise FailureError(reason, message, charged="no", provider_code="steered")
        self._progress = max(self._progress, progress)

    def _draw(self) -> None:
        try:
            with _RENDERS:
                from .drawing import draw_outputs

                self._drawing = True
                outputs = draw_outputs(self._spec, self._media.read, self._advance)
                self._advance(1.0)
                self._outputs = outputs
        except _Stopped:
            pass
        except FailureError as error:
            self._error = error
        except Exception:  # the thread's boundary: the fault becomes the job's failure
            logger.exception("A sandbox render failed")
            self._error = FailureError("provider_error", "The sandbox could not draw this.", charged="no")
        finally:
            self._ended.set()
