"""A generation's life as pure functions: record, what was seen, and now, become the next record (design §2 and §4).

Each function returns the same object where nothing changes, so that nothing is written. A final state never changes:
`ground.moved` is the only place that sets `state`: it takes unfinished records only, and goes along `EDGES`. The one
way back is `ground.reopened`, for a task that is handed the job that it had lost.
"""

from .attaching import attached, why_not_attached
from .cancelling import cancel_asked, cancelled, withdrawn
from .ground import EDGES, WARNINGS_MAX, Transition, with_warnings
from .holding import held, never_sent, released
from .keeping import (
    KEEP_GIVE_UP,
    KEEP_REFUSALS_MAX,
    KEEP_RETRY_FIRST,
    KEEP_RETRY_LONGEST,
    found_again,
    keep_due,
    keep_failed,
    keeping_off,
    kept,
)
from .observation import (
    EMPTY_SUCCESSES_TOLD,
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
    from_sidecar,
    lost,
    refused,
    rerouted,
)

__all__ = [
    "EDGES",
    "EMPTY_SUCCESSES_TOLD",
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
    "WARNINGS_MAX",
    "WATCH_FOR",
    "Kept",
    "Transition",
    "accepted",
    "accepted_late",
    "adopted",
    "answer_lost",
    "answer_not_kept",
    "answer_unknown",
    "answered_on_disk",
    "attached",
    "bounded",
    "cancel_asked",
    "cancelled",
    "found",
    "found_again",
    "from_sidecar",
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
    "why_not_attached",
    "with_warnings",
    "withdrawn",
]
