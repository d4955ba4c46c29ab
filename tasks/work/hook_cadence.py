"""When to look at a job whose gateway was asked to call back: seldom, and never not at all. Pure.

A hook brings a look at once. Where that look does not show the end, because the gateway told of it before it wrote it
down, a few more follow. Without any hook the end is still found, later than by looks alone by a share of its time.
"""

from dataclasses import dataclass

FIRST_SHARE, FIRST_MIN_SECONDS = 1.5, 45.0
"""The first look of our own: after this share of the time that such jobs take."""
PAUSE_MAX_SECONDS = 300.0

FOLLOWED_SECONDS = 15.0
FOLLOW_FIRST_SECONDS = 2.0

GAP_FIRST_SECONDS, GAP_MAX_SECONDS = 1.0, 32.0
"""Between looks that hooks of one task bring, doubling: whoever sends thousands has few looks made."""


def pause_with_hook(elapsed: float, median: float, since_hook: float | None) -> float:
    """Seconds until the next look of our own.

    Args:
        elapsed: Seconds since the job began.
        median: Seconds that such jobs take.
        since_hook: Seconds since a hook had a look made; `None` where none came.
    """
    if since_hook is not None and since_hook < FOLLOWED_SECONDS:
        return max(FOLLOW_FIRST_SECONDS, 2 * since_hook)
    first = max(FIRST_MIN_SECONDS, FIRST_SHARE * median)
    if elapsed < 0.9 * first:
        # After a look what is expected may have grown by what it showed: no other follows on its heels.
        return max(first - elapsed, FIRST_MIN_SECONDS if elapsed >= 0.9 * FIRST_MIN_SECONDS else 0.0)
    return min(max(FIRST_MIN_SECONDS, elapsed), PAUSE_MAX_SECONDS)


@dataclass(frozen=True)
class Heard:
    """That hooks of a task came."""

    look_at: float
    """When the look is or was due that the latest of them brought."""
    gap: float = GAP_FIRST_SECONDS

    def again(self, now: float) -> "Heard":
        """With one more; the very same where a look is due already."""
        if self.look_at > now:
            return self
        return Heard(max(now, self.look_at + self.gap), min(2 * self.gap, GAP_MAX_SECONDS))
