"""A generation's life as pure functions: record, what was seen, and now, become the next record (design §2 and §4).

Each function returns the same object where nothing changes, so that nothing is written. A final state never changes:
`ground.moved` is the only place that sets `state`, and it refuses every step that `STEPS` does not name.
"""

from .cancelling import cancel_asked, cancelled, withdrawn
from .ground import STEPS, WARNINGS_MAX, IllegalTransition, Transition, with_warnings
from .holding import held, never_sent, released
from .keeping import (
    KEEP_GIVE_UP,
    KEEP_REFUSALS_MAX,
    KEEP_RETRY_FIRST,
    KEEP_RETRY_LONGEST,
    keep_due,
    keep_failed,
    keeping_off,
    kept,
)
from .observation import (
    EMPTY_SUCCESSES_MAX,
    FINISHED_AFTER_ALL,
    NOTHING_KEPT,
    OUTPUTS_MAX,
    OVERDUE_LOOKS,
    POLL_ERRORS_PATIENCE,
    WATCH_FOR,
    Kept,
    bounded,
    observed,
    poll_due,
    poll_failed,
    refreshed,
    timed_out,
)
from .reconciling import RECONCILE_FOR, answer_lost, found, given_back, not_found
from .submission import (
    accepted,
    accepted_late,
    adopted,
    answer_not_kept,
    answer_unknown,
    answered_on_disk,
    lost,
    refused,
    rerouted,
)

__all__ = [
    "EMPTY_SUCCESSES_MAX",
    "FINISHED_AFTER_ALL",
    "KEEP_GIVE_UP",
    "KEEP_REFUSALS_MAX",
    "KEEP_RETRY_FIRST",
    "KEEP_RETRY_LONGEST",
    "NOTHING_KEPT",
    "OUTPUTS_MAX",
    "OVERDUE_LOOKS",
    "POLL_ERRORS_PATIENCE",
    "RECONCILE_FOR",
    "STEPS",
    "WARNINGS_MAX",
    "WATCH_FOR",
    "IllegalTransition",
    "Kept",
    "Transition",
    "accepted",
    "accepted_late",
    "adopted",
    "answer_lost",
    "answer_not_kept",
    "answer_unknown",
    "answered_on_disk",
    "bounded",
    "cancel_asked",
    "cancelled",
    "found",
    "given_back",
    "held",
    "keep_due",
    "keep_failed",
    "keeping_off",
    "kept",
    "lost",
    "never_sent",
    "not_found",
    "observed",
    "poll_due",
    "poll_failed",
    "refreshed",
    "refused",
    "released",
    "rerouted",
    "timed_out",
    "with_warnings",
    "withdrawn",
]
