"""Making observations, with the rules that hold for every gateway."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ...domain.errors import Charged
from ...domain.failure import failure, gateway_says
from ...domain.job import SUCCESS_WITHOUT_OUTPUT, Cost, JobState, Observation, RemoteOutput, Told
from ..format import Fault
from .reasons import tells_of_no_charge


def state_of(word: str | None, states: Mapping[str, JobState]) -> tuple[JobState, tuple[str, ...]]:
    """A gateway's status word in our words. An unknown one means running, and is noted."""
    if word is not None and word in states:
        return states[word], ()
    if not (word or "").strip():
        return "running", ("The gateway told no status.",)
    return "running", (f"The gateway's status word is not known. {gateway_says(word or '', 60)}",)


def observed(
    state: JobState,
    *,
    gateway: str,
    outputs: Sequence[RemoteOutput] = (),
    fault: Fault | None = None,
    charged: Charged = "unknown",
    progress: float | None = None,
    cost: Cost | None = None,
    started_at: datetime | None = None,
    notes: Sequence[str] = (),
    told: Told | None = None,
) -> Observation:
    """One observation. Success without an output is not yet success: it stays running, with a note to count.

    A failed or cancelled job's `charged` is what the gateway documents; where it says nothing, what its message says of
    the money; else unknown.
    """
    if state == "succeeded" and not outputs:
        state, notes = "running", (*notes, SUCCESS_WITHOUT_OUTPUT)
    ended = None
    if state in {"failed", "cancelled"}:
        if charged == "unknown" and fault is not None and tells_of_no_charge(fault.message):
            charged = "no"
        default = Fault("cancelled", "The job was cancelled at the gateway.", ours=True)
        fault = fault or (default if state == "cancelled" else Fault("provider_error", "the generation failed"))
        reason = "cancelled" if state == "cancelled" else fault.reason
        message = f"{gateway}: {fault.told}"
        ended = failure(reason, message, charged=charged, provider_code=fault.provider_code, hint=fault.hint)
    return Observation(
        state=state,
        progress=progress,
        outputs=tuple(outputs) if state == "succeeded" else (),
        failure=ended,
        cost=cost,
        started_at=started_at,
        notes=tuple(notes),
        told=told or Told(),
    )
