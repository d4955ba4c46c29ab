"""A generation's life as pure functions: record, what was seen, and now, become the next record (design §2 and §4).

Each function returns the same object where nothing changes, so that nothing is written. A final state never changes:
`_moved` is the only place that sets `state`, and it refuses every step that `STEPS` does not name.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import assert_never

from ..errors import Charged, FailureError, OutputExpired, OutputRejected, RushesError
from ..providers.failure import Failure, clean_text, failure
from ..providers.job import SUCCESS_WITHOUT_OUTPUT, Job, Observation, Plan, Submission
from .record import FINAL, Attempt, Output, Phase, TaskRecord, TaskState

Transition = Callable[[TaskRecord], TaskRecord]
Outputs = tuple[Output, ...]
Kept = Mapping[int, Mapping[str, object]]
NOTHING_KEPT: Kept = MappingProxyType({})

STEPS: Mapping[TaskState, frozenset[TaskState]] = {
    "queued": frozenset({"queued", "running", "succeeded", "failed", "cancelled", "unknown"}),
    "running": frozenset({"running", "succeeded", "failed", "cancelled", "unknown"}),
    "succeeded": frozenset({"succeeded"}),
    "failed": frozenset({"failed"}),
    "cancelled": frozenset({"cancelled"}),
    "unknown": frozenset({"unknown"}),
}

EMPTY_SUCCESSES_MAX = 5
"""Looks at a success without an output before it counts as a failure (facts/providers.md §0.2)."""

RECONCILE_FOR = timedelta(minutes=3)
"""How long the gateway's list of jobs is searched for a submission whose answer was lost."""

WATCH_FOR = timedelta(hours=6)
"""How long a job that was given up here is still looked at, so that a late paid result is not lost."""

POLL_ERRORS_TOLD = 3
WARNINGS_MAX = 20
KEEP_REFUSALS_MAX = 4
"""Attempts at an output that is refused or gone; passing faults are tried until the URL expires."""
KEEP_RETRY_FIRST = timedelta(seconds=5)
KEEP_RETRY_LONGEST = timedelta(minutes=10)
KEEP_GIVE_UP = timedelta(hours=24)
"""Where a URL names no expiry."""


class IllegalTransition(AssertionError):
    """A fault in rushes: a step that a task's life does not have."""


def _moved(record: TaskRecord, state: TaskState, phase: Phase, now: datetime, **changes: object) -> TaskRecord:
    if state not in STEPS[record.state]:
        raise IllegalTransition(f"{record.state} cannot become {state}")
    ended = state in FINAL and record.finished_at is None
    return record.model_copy(
        update={
            **changes,
            "state": state,
            "phase": phase,
            "open": phase != "done",
            "updated_at": now,
            "finished_at": now if ended else record.finished_at,
        }
    )


def _same_state(record: TaskRecord, now: datetime, **changes: object) -> TaskRecord:
    phase = changes.pop("phase", record.phase)
    return record.model_copy(update={**changes, "phase": phase, "open": phase != "done", "updated_at": now})


def with_warnings(record: TaskRecord, texts: Iterable[str], now: datetime) -> TaskRecord:
    """Add warnings, each once, bounded in number and length."""
    fresh = [text for raw in texts if (text := clean_text(raw, 300)) and text not in record.warnings]
    if not fresh or len(record.warnings) >= WARNINGS_MAX:
        return record
    return _same_state(record, now, warnings=(*record.warnings, *dict.fromkeys(fresh))[:WARNINGS_MAX])


def accepted(record: TaskRecord, submission: Submission, now: datetime, kept: Kept = NOTHING_KEPT) -> TaskRecord:
    """The gateway took the job. A cancel may have come first; the job is then still recorded and watched."""
    if record.phase != "submitting":
        return record
    with_job = _same_state(record, now, job=submission.job, phase="watching" if record.final else "polling")
    return observed(with_job, submission.observation, now, kept)


def refused(record: TaskRecord, why: Failure, now: datetime) -> TaskRecord:
    """The gateway definitely refused, and no other is left to try."""
    if record.phase != "submitting":
        return record
    if record.final:
        return _same_state(record, now, phase="done")
    return _moved(record, "failed", "done", now, failure=why)


def answered_on_disk(record: TaskRecord, answered: TaskRecord, now: datetime) -> TaskRecord:
    """The process that got the gateway's answer died after it wrote the media and before it changed the record."""
    if record.phase != "submitting" or answered.job is None:
        return record
    if record.final:
        return _same_state(record, now, job=answered.job, outputs=answered.outputs, phase="done")
    return _moved(
        record, "succeeded", "done", now, job=answered.job, outputs=answered.outputs, cost=answered.cost, progress=1.0
    )


def withdrawn(record: TaskRecord, now: datetime) -> TaskRecord:
    """Cancelled before anything was sent: nothing more can come."""
    if record.phase != "submitting" or not record.final:
        return record
    why = record.failure and record.failure.model_copy(update={"charged": "no", "retry_safe": True})
    return _same_state(record, now, phase="done", failure=why)


def answer_not_kept(record: TaskRecord, submission: Submission, error: RushesError, now: datetime) -> TaskRecord:
    """The gateway answered with the medium itself, and it could not be written to disk."""
    if record.phase != "submitting":
        return record
    why = failure(
        "internal",
        f"{record.provider} delivered the result, but it could not be written: {error.message}",
        charged="yes",
        hint="Free disk space or set RUSHES_OUTPUT_DIR to a writable folder before generating again.",
    )
    if record.final:
        return _same_state(record, now, job=submission.job, phase="done", failure=why)
    return _moved(record, "failed", "done", now, job=submission.job, failure=why)


def rerouted(record: TaskRecord, why: Failure, plan: Plan, deadline_at: datetime, now: datetime) -> TaskRecord:
    """The gateway definitely refused; the same task goes on with the next provider."""
    if record.phase != "submitting" or record.final:
        return record
    attempt = Attempt(provider=record.provider, model=record.model, failure=why)
    return _moved(
        record,
        record.state,
        "submitting",
        now,
        tried=(*record.tried, attempt),
        provider=plan.provider,
        model=plan.model,
        plan_path=plan.path,
        plan_details=plan.details,
        submitted_at=now,
        deadline_at=deadline_at,
    )


def lost(record: TaskRecord, why: Failure, now: datetime, *, reconcilable: bool) -> TaskRecord:
    """The answer to the POST was lost: the gateway may have the job, and may charge for it."""
    if record.phase != "submitting":
        return record
    if reconcilable:
        return _same_state(record, now, phase="reconciling", next_poll_at=now)
    if record.final:
        return _same_state(record, now, phase="done")
    return _moved(record, "unknown", "done", now, failure=why)


def found(record: TaskRecord, job: Job, now: datetime) -> TaskRecord:
    """The gateway's list holds the job of a submission whose answer was lost."""
    if record.phase != "reconciling":
        return record
    text = f"The answer to the submission was lost; {record.provider} lists the job, so the task went on."
    if record.final:
        return with_warnings(_same_state(record, now, job=job, phase="watching"), [text], now)
    return with_warnings(_moved(record, record.state, "polling", now, job=job, next_poll_at=now), [text], now)


def not_found(record: TaskRecord, why: Failure, now: datetime, *, next_look_at: datetime) -> TaskRecord:
    """The gateway's list does not hold the job (yet)."""
    if record.phase != "reconciling":
        return record
    since = record.submitted_at or record.created_at
    if now - since < RECONCILE_FOR:
        return _same_state(record, now, next_poll_at=next_look_at)
    if record.final:
        return _same_state(record, now, phase="done")
    return _moved(record, "unknown", "done", now, failure=why)


def resubmitted(record: TaskRecord, now: datetime) -> TaskRecord:
    """A submission that costs nothing is made again by the process that found it in flight."""
    return _same_state(record, now, submitted_at=now) if record.phase == "submitting" else record


def observed(record: TaskRecord, seen: Observation, now: datetime, kept: Kept = NOTHING_KEPT) -> TaskRecord:
    """What one look at the job says. A late success never changes `cancelled`; its outputs are still kept.

    `kept` holds the facts of outputs that came as bytes in the gateway's answer and are on disk already.
    """
    if record.phase not in ("polling", "watching"):
        return record
    polled = record.model_copy(
        update={
            "polls": record.polls + 1,
            "poll_errors": 0,
            "progress": _forward(record.progress, seen.progress),
            "started_at": record.started_at or seen.started_at,
            "cost": seen.cost or record.cost,
            "empty_successes": record.empty_successes + 1 if SUCCESS_WITHOUT_OUTPUT in seen.notes else 0,
        }
    )
    noted = with_warnings(polled, (note for note in seen.notes if note != SUCCESS_WITHOUT_OUTPUT), now)
    outputs = _offered(seen, kept)
    return _observed_late(noted, seen, outputs, now) if record.final else _observed_in_time(noted, seen, outputs, now)


def _observed_in_time(record: TaskRecord, seen: Observation, outputs: Outputs, now: datetime) -> TaskRecord:
    match seen.state:
        case "queued":
            return _moved(record, record.state, "polling", now)
        case "running":
            if record.empty_successes >= EMPTY_SUCCESSES_MAX:
                return _moved(record, "failed", "done", now, failure=_empty_success(record))
            return _moved(record, "running", "polling", now, started_at=record.started_at or now)
        case "succeeded":
            phase = _phase_after(outputs)
            return _moved(record, "succeeded", phase, now, outputs=outputs, progress=1.0, next_poll_at=None)
        case "failed" | "cancelled":
            why = seen.failure or failure(
                "cancelled" if seen.state == "cancelled" else "provider_error",
                f"{record.provider} ended the job without a reason.",
                charged="unknown",
            )
            return _moved(record, seen.state, "done", now, failure=why, next_poll_at=None)
        case _:
            assert_never(seen.state)


def _observed_late(record: TaskRecord, seen: Observation, outputs: Outputs, now: datetime) -> TaskRecord:
    match seen.state:
        case "queued" | "running":
            return _same_state(record, now)
        case "failed" | "cancelled":
            charged = seen.failure.charged if seen.failure else None
            why = record.failure
            if why is not None and charged in ("yes", "no"):
                why = why.model_copy(update={"charged": charged})
            return _same_state(record, now, phase="done", failure=why)
        case "succeeded":
            why = record.failure and record.failure.model_copy(update={"charged": "yes"})
            late = _same_state(record, now, phase=_phase_after(outputs), outputs=outputs, failure=why)
            return with_warnings(
                late, [f"{record.provider} finished the job after it was given up here; its output is kept."], now
            )
        case _:
            assert_never(seen.state)


def _offered(seen: Observation, kept: Kept) -> Outputs:
    plain = (
        Output(url=o.url, authenticated=o.authenticated, expires_at=o.expires_at, mime_type=o.mime_type)
        for o in seen.outputs
    )
    return tuple(
        output.model_copy(update={**kept[index], "keeping": "kept"}) if index in kept else output
        for index, output in enumerate(plain)
    )


def _phase_after(outputs: Outputs) -> Phase:
    return "keeping" if any(output.keeping == "pending" for output in outputs) else "done"


def refreshed(record: TaskRecord, seen: Observation, now: datetime) -> TaskRecord:
    """A later look gave fresh URLs (signed ones are made anew at each look); outputs already kept stay."""
    if record.phase != "keeping" or len(seen.outputs) != len(record.outputs):
        return record
    fresh = _offered(seen, {})
    outputs = tuple(
        old.model_copy(update={"url": new.url, "expires_at": new.expires_at, "authenticated": new.authenticated})
        if old.keeping == "pending"
        else old
        for old, new in zip(record.outputs, fresh, strict=True)
    )
    return record if outputs == record.outputs else _same_state(record, now, outputs=outputs)


def _empty_success(record: TaskRecord) -> Failure:
    return failure(
        "provider_error",
        f"{record.provider} reported success {record.empty_successes} times without giving an output.",
        charged="unknown",
        hint="The job may be charged; look for its output on the gateway's dashboard.",
    )


def _forward(before: float | None, seen: float | None) -> float | None:
    """Progress never goes back."""
    if seen is None:
        return before
    return max(before or 0.0, min(1.0, max(0.0, seen)))


def poll_failed(record: TaskRecord, error: FailureError, now: datetime) -> TaskRecord:
    """A look failed, which says nothing about the job. What a person can cure is said as a warning."""
    if record.phase not in ("polling", "watching", "reconciling"):
        return record
    failed = _same_state(record, now, poll_errors=record.poll_errors + 1)
    if (
        error.reason not in ("unauthorized", "not_found", "insufficient_credits")
        or failed.poll_errors < POLL_ERRORS_TOLD
    ):
        return failed
    return with_warnings(failed, [f"{record.provider} does not let rushes look at the job: {error.message}"], now)


def poll_due(record: TaskRecord, at: datetime, now: datetime) -> TaskRecord:
    """Note when the next look is due, for `next.after_seconds` and other processes."""
    if record.phase not in ("polling", "watching", "reconciling"):
        return record
    return _same_state(record, now, next_poll_at=at)


def timed_out(record: TaskRecord, now: datetime) -> TaskRecord:
    """The deadline passed. The gateway may still finish and charge, so it is watched for a late result."""
    if now < record.deadline_at or record.phase not in ("polling", "watching"):
        return record
    if record.final:
        return _same_state(record, now, phase="done") if now >= record.deadline_at + WATCH_FOR else record
    minutes = max(1, round((record.deadline_at - record.created_at).total_seconds() / 60))
    why = failure("timeout", f"{record.provider} did not finish within {minutes} min.", charged="unknown")
    return _moved(record, "failed", "watching", now, failure=why)


def cancel_asked(record: TaskRecord, now: datetime) -> TaskRecord:
    """Note that a person or agent wants it cancelled."""
    if record.final or record.cancel_requested_at is not None:
        return record
    return _same_state(record, now, cancel_requested_at=now)


def cancelled(record: TaskRecord, now: datetime, *, at_gateway: bool, ended: bool, charged: Charged) -> TaskRecord:
    """Cancelled: by the gateway, or only here.

    With `ended` nothing more can come of the job; otherwise the gateway is still watched for a late paid result.
    """
    if record.final:
        return record
    who = record.provider
    text = f"Cancelled at {who}." if at_gateway else f"Given up here; {who} goes on with the job and may charge for it."
    why = failure("cancelled", text, charged=charged)
    phase: Phase = "done" if ended else "watching" if record.phase == "polling" else record.phase
    return _moved(record, "cancelled", phase, now, failure=why)


def kept(record: TaskRecord, index: int, facts: Mapping[str, object], now: datetime) -> TaskRecord:
    """Output `index` is on disk; `facts` are the file's path, size, hash and measures."""
    return _with_output(record, index, {**facts, "keeping": "kept", "keep_problem": None, "keep_after": None}, now)


def keeping_off(record: TaskRecord, now: datetime) -> TaskRecord:
    """Keeping is turned off: URLs are given as they are."""
    if record.phase != "keeping":
        return record
    outputs = tuple(o.model_copy(update={"keeping": "off"}) if o.keeping == "pending" else o for o in record.outputs)
    return _same_state(record, now, outputs=outputs, phase="done")


def keep_failed(record: TaskRecord, index: int, error: RushesError, now: datetime) -> TaskRecord:
    """An attempt to keep output `index` failed: try again with growing pauses, until it can no longer work."""
    output = record.outputs[index]
    attempts = output.keep_attempts + 1
    wait = min(KEEP_RETRY_FIRST * 2 ** min(attempts - 1, 10), KEEP_RETRY_LONGEST)
    until = output.expires_at or (record.finished_at or record.created_at) + KEEP_GIVE_UP
    refused = isinstance(error, OutputExpired | OutputRejected) and attempts >= KEEP_REFUSALS_MAX
    given_up = refused or now + wait > until
    gone = given_up and (isinstance(error, OutputExpired) or now + wait > until)
    changes = {
        "keep_attempts": attempts,
        "keep_problem": clean_text(f"result_expired: {error.message}" if gone else error.message, 300),
        "keeping": "failed" if given_up else "pending",
        "keep_after": None if given_up else now + wait,
    }
    return _with_output(record, index, changes, now)


def _with_output(record: TaskRecord, index: int, changes: Mapping[str, object], now: datetime) -> TaskRecord:
    outputs = tuple(o.model_copy(update=dict(changes)) if n == index else o for n, o in enumerate(record.outputs))
    phase = _phase_after(outputs) if record.phase == "keeping" else record.phase
    return _same_state(record, now, outputs=outputs, phase=phase)


def adopted(record: TaskRecord, worker: str, now: datetime) -> TaskRecord:
    """Another process takes the task over, because the one that had it is gone."""
    return _same_state(record, now, worker=worker) if record.phase != "done" else record


def answer_unknown(record: TaskRecord) -> Failure:
    """Why a submission found in flight by a new process is not sent again (design §4)."""
    return failure(
        "outcome_unknown",
        f"rushes stopped while the request to {record.provider} was under way, so its answer is not known.",
        charged="unknown",
    )


def answer_lost(record: TaskRecord) -> Failure:
    """Why a submission whose answer was lost, and which the gateway's list does not show, ends as `unknown`."""
    return failure(
        "outcome_unknown",
        f"The answer to the submission was lost, and {record.provider} does not list a matching job.",
        charged="unknown",
    )
