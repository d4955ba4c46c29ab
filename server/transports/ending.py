"""The end of a server's process: asked for once, and then certain.

What runs in threads cannot be cancelled: a write to a host that reads nothing, a name that is looked up, a file on a
network share that hangs. Records are written before each step and not after it, so that the process may end anywhere.
"""

import logging
import os
import sys
import threading

logger = logging.getLogger(__name__)

CLOSING_SECONDS = 3.0
"""What the store, the providers and the transport have to close, beside the grace for submissions."""


class Ending:
    """Ends the process if it does not end by itself in time."""

    def __init__(self, grace_seconds: float) -> None:
        self._seconds = grace_seconds + CLOSING_SECONDS
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def begin(self) -> None:
        """The host or a signal asked for the end; from any thread, and again without effect."""
        with self._lock:
            if self._timer is not None:
                return
            self._timer = threading.Timer(self._seconds, self._leave)
            # It runs on while the interpreter, at its own end, waits for threads that may hang.
            self._timer.daemon = True
            self._timer.start()

    def _leave(self) -> None:
        logger.warning("ended while something was still under way", extra={"seconds": self._seconds})
        sys.stderr.flush()
        os._exit(0)
