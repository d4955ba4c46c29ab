"""The end of a server's process: asked for once, and then certain.

What runs in threads cannot be cancelled: a write to a host that reads nothing, a name that is looked up, a file on a
network share that hangs. Records are written before each step and not after it, so that the process may end anywhere.
"""

import logging
import os
import sys
import threading

logger = logging.getLogger(__name__)

CLOSING_SECONDS = 2.5
"""What the store, the providers and the transport have to close, beside the grace for submissions. Of the five
seconds that are promised in all, a busy machine needs some before a signal is heard."""


class Ending:
    """Ends the process if it does not end by itself in time."""

    def __init__(self, grace_seconds: float) -> None:
        self._seconds = grace_seconds + CLOSING_SECONDS
        self._begun = threading.Lock()

    def begin(self) -> None:
        """The host or a signal asked for the end; from any thread or signal handler, and again without effect."""
        # Never given back. Not waited for: a signal handler may stand above the very thread that has it.
        if not self._begun.acquire(blocking=False):
            return
        timer = threading.Timer(self._seconds, self._leave)
        # It runs on while the interpreter, at its own end, waits for threads that may hang.
        timer.daemon = True
        timer.start()

    def _leave(self) -> None:
        logger.warning("ended while something was still under way", extra={"seconds": self._seconds})
        sys.stderr.flush()
        os._exit(0)
