"""A job in this process: its render in a thread, its clock, and what a look at it says."""

import logging
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ...domain.errors import FailureError, RushesError
from ...domain.failure import failure, failure_of
from ...domain.job import Observation, RemoteOutput
from .spec import RenderSpec

Clock = Callable[[], float]
logger = logging.getLogger(__name__)

POLL_AFTER_SECONDS = 0.2
FAILS_AT = 0.4
"""Progress at which a steered failure happens."""
_EXPIRED_AT = datetime(2000, 1, 1, tzinfo=UTC)
_RENDERS = threading.BoundedSemaphore(2)
"""So many renders draw at once; the others wait for their turn, and are queued."""
_MEDIA_KEPT_SECONDS = 7 * 86400.0
"""Input media are forgotten this long after their last use; no render takes a fraction of it."""


class InputFolder:
    """Input media by their sha256, so that a killed render can start again; by default in a temporary folder."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def write(self, sha256: str, data: bytes) -> None:
        """Keep the bytes. Blocks on the disk: call it in a thread."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="rushes-sandbox-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix="part-", dir=self._folder, delete=False) as file:
            file.write(data)
        Path(file.name).replace(self._folder / sha256)
        for old in self._folder.iterdir():
            # Another process may forget it at the same time.
            with suppress(FileNotFoundError):
                if old.stat().st_mtime < time.time() - _MEDIA_KEPT_SECONDS:
                    old.unlink()

    def read(self, sha256: str) -> bytes | None:
        """The bytes, or `None` where they were never kept or are forgotten."""
        with suppress(FileNotFoundError):
            return (self._folder / sha256).read_bytes() if self._folder is not None else None
        return None


class _Stopped(RushesError):
    """The render is not wanted any more; raised inside it, between two frames."""


class RunningJob:
    """One job, from its first look in this process on."""

    def __init__(self, spec: RenderSpec, media: InputFolder, clock: Clock) -> None:
        self._spec, self._media, self._clock = spec, media, clock
        self._began = clock()
        self._cancelled = self._drawing = False
        self._progress = 0.0
        self._outputs: tuple[bytes, ...] = ()
        self._error: FailureError | None = None
        self._ended = threading.Event()
        self._started = False
        self.told = False
        """A look has told its end."""

    def start(self) -> None:
        """Draw, unless it does already, in a thread that ends with the process, once a turn is free."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._draw, name="rushes sandbox", daemon=True).start()

    def cancel(self) -> None:
        """Stop it, unless it already ended."""
        self._cancelled = self._cancelled or not self._final()

    def look(self) -> Observation:
        """What there is to see now."""
        if not self._cancelled and not self._final():
            progress = round(min(self._progress, self._pace(), 0.99), 3)
            state = "running" if self._drawing else "queued"
            return Observation(state=state, progress=progress, poll_after_seconds=POLL_AFTER_SECONDS)
        self.told = True
        if self._cancelled:
            stopped = failure("cancelled", "The generation was cancelled. Nothing is charged.", charged="no")
            return Observation(state="cancelled", failure=stopped)
        if self._error is not None:
            return Observation(state="failed", failure=failure_of(self._error))
        return Observation(state="succeeded", progress=1.0, outputs=self._delivered())

    def _final(self) -> bool:
        return self._ended.is_set() and self._pace() >= (FAILS_AT if self._spec.steering.fail else 1.0)

    def _pace(self) -> float:
        """The largest progress that `[slow:SECONDS]` allows to show by now; 1 without it."""
        slow = self._spec.steering.slow_seconds
        return min(1.0, (self._clock() - self._began) / slow) if slow else 1.0

    def _delivered(self) -> tuple[RemoteOutput, ...]:
        mime_type = self._spec.mime_type
        if not self._spec.steering.expire:
            return tuple(RemoteOutput(mime_type=mime_type, content=content) for content in self._outputs)
        expired = RemoteOutput(url="https://sandbox.invalid/expired", expires_at=_EXPIRED_AT, mime_type=mime_type)
        return (expired,) * len(self._outputs)

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
                self._outputs = draw_outputs(self._spec, self._media.read, self._advance)
        except _Stopped:
            pass
        except FailureError as error:
            self._error = error
        except Exception:  # the thread's boundary: the fault becomes the job's failure
            logger.exception("A sandbox render failed")
            self._error = FailureError("provider_error", "The sandbox could not draw this.", charged="no")
        finally:
            self._ended.set()
