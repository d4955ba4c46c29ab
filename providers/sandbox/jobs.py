"""A job in this process: its render, its clock, and what a look at it says."""

from collections.abc import Callable
from datetime import UTC, datetime

from ...domain.errors import FailureError
from ...domain.failure import failure, failure_of
from ...domain.job import Observation, RemoteOutput
from .media import MediaFolder
from .spec import RenderSpec
from .steering import Steering
from .threads import FAILS_AT, Render

POLL_AFTER_SECONDS = 0.2
HAND_OUTS = 2
"""So many looks get the content before it is dropped."""
_EXPIRED_AT = datetime(2000, 1, 1, tzinfo=UTC)


class RunningJob:
    """One job, from its first look in this process on."""

    def __init__(self, spec: RenderSpec, media: MediaFolder, clock: Callable[[], float]) -> None:
        self._spec = spec
        self._clock = clock
        self._began = clock()
        self.hand_outs = 0
        """Looks that got the content."""
        self._cancelled = False
        self.queued = False
        """Its render was given to the threads."""
        self.render = Render(lambda render: _draw(spec, media, render), steered=_steered_failure(spec.steering))

    @property
    def ended_without_content(self) -> bool:
        """It was cancelled, or it failed."""
        return self._cancelled or (self.render.ended.is_set() and self.render.outputs is None)

    def cancel(self) -> None:
        """Stop it, unless it already ended."""
        if not self._final():
            self._cancelled = True
            self.render.cancel()

    def look(self) -> Observation:
        """What there is to see now."""
        if self._cancelled:
            stopped = failure("cancelled", "The generation was cancelled. Nothing is charged.", charged="no")
            return Observation(state="cancelled", failure=stopped)
        if not self._final():
            progress = min(self.render.progress, self._pace(), 0.99)
            state = "running" if self.render.started else "queued"
            return Observation(state=state, progress=round(progress, 3), poll_after_seconds=POLL_AFTER_SECONDS)
        if self.render.error is not None:
            return Observation(state="failed", failure=failure_of(self.render.error))
        self.hand_outs += 1
        return Observation(state="succeeded", progress=1.0, outputs=self._outputs())

    def _final(self) -> bool:
        return self.render.ended.is_set() and self._pace() >= (FAILS_AT if self._spec.steering.fail else 1.0)

    def _pace(self) -> float:
        return pace(self._clock() - self._began, self._spec.steering.slow_seconds)

    def _outputs(self) -> tuple[RemoteOutput, ...]:
        contents = self.render.outputs or ()
        if self._spec.steering.expire:
            return tuple(
                RemoteOutput(url=f"https://sandbox.invalid/{n}", expires_at=_EXPIRED_AT, mime_type=self._spec.mime_type)
                for n in range(len(contents))
            )
        return tuple(RemoteOutput(mime_type=self._spec.mime_type, content=content) for content in contents)


def pace(elapsed_seconds: float, slow_seconds: float) -> float:
    """The largest progress that `[slow:SECONDS]` allows to show by now; 1 without it."""
    return 1.0 if elapsed_seconds >= slow_seconds else elapsed_seconds / slow_seconds


def _steered_failure(steering: Steering) -> FailureError | None:
    if steering.fail is None:
        return None
    message = f"The sandbox failed because the prompt says [fail:{steering.fail}]. Nothing is charged."
    return FailureError(steering.fail, message, charged="no", provider_code="steered")


def _draw(spec: RenderSpec, media: MediaFolder, render: Render) -> tuple[bytes, ...]:
    from .drawing import draw_outputs

    return draw_outputs(spec, media.read, render.advance)
