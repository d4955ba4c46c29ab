"""Renders under way: a few threads of their own, so that drawing never holds up the event loop."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from ...domain.errors import FailureError, RushesError

logger = logging.getLogger(__name__)

RENDERS_AT_ONCE = 2
FAILS_AT = 0.4
"""Progress at which a steered failure happens."""


class RenderCancelled(RushesError):
    """The render was told to stop; raised inside the render by `Render.advance`."""


Work = Callable[["Render"], tuple[bytes, ...]]
"""Draws all outputs. It calls `advance` often: between frames."""


class Render:
    """One render as seen from both sides: the thread that draws, and whoever looks at it."""

    def __init__(self, work: Work, *, steered: FailureError | None = None) -> None:
        self._work = work
        self._steered = steered
        self._cancelled = threading.Event()
        self.started = False
        self.progress = 0.0
        """0 to 1, never falling."""
        self.outputs: tuple[bytes, ...] | None = None
        self.error: FailureError | None = None
        self.ended = threading.Event()
        """Set once the thread has let go of it, whatever came of it."""

    def advance(self, progress: float) -> None:
        """Say how far the drawing is.

        Raises:
            RenderCancelled: it is not wanted any more.
            FailureError: the prompt asks for a failure, and it is due.
        """
        if self._cancelled.is_set():
            raise RenderCancelled("The render was cancelled.")
        if self._steered is not None and progress >= FAILS_AT:
            raise self._steered
        self.progress = max(self.progress, min(progress, 1.0))

    def cancel(self) -> None:
        """Ask the drawing to stop at its next frame."""
        self._cancelled.set()

    def run(self) -> None:
        """Do the work, here and now; every end is kept in `outputs` or `error`."""
        try:
            self.started = True
            self.advance(0.0)
            outputs = self._work(self)
            self.advance(1.0)
            self.outputs = outputs
        except RenderCancelled:
            self.error = FailureError("cancelled", "The render was cancelled.", charged="no")
        except FailureError as error:
            self.error = error
        except Exception:  # the thread's boundary: the fault becomes the job's failure
            logger.exception("A sandbox render failed")
            self.error = FailureError("provider_error", "The sandbox could not draw this.", charged="no")
        finally:
            self.ended.set()


class RenderThreads:
    """At most `at_once` daemon threads, started when there is work and ended when there is none."""

    def __init__(self, at_once: int = RENDERS_AT_ONCE) -> None:
        self._at_once = at_once
        self._waiting: deque[Render] = deque()
        self._threads = 0
        self._lock = threading.Lock()

    def add(self, render: Render) -> None:
        """Queue a render; it starts when a thread is free."""
        with self._lock:
            self._waiting.append(render)
            if self._threads >= self._at_once:
                return
            self._threads += 1
        threading.Thread(target=self._drain, name="rushes sandbox", daemon=True).start()

    def _drain(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                render = self._waiting.popleft()
            render.run()
