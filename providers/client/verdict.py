"""What a whole reply to the one paid POST means for money: answered, refused, or an answer that says nothing; pure.

Between rushes and a gateway stand proxies that answer in its place while it goes on working, so a reply is believed to
be a refusal only where nobody but the gateway, and only before it took the job, can have written it.
"""

from dataclasses import dataclass
from typing import Literal

from ...domain.errors import FailureReason
from ...domain.failure import shown_id
from ..format import Fault, Format
from .reply import Reply

SAY_NOTHING = frozenset({408, 409, 499})
"""4xx that are told about a request which was taken: its time was over, it met itself, its caller was gone."""

SURE_IF_OWN = frozenset({429, 503, 529})
"""Refusals if the gateway itself wrote them: a proxy that gave up waiting, or has a limit of its own, says so too."""

REFUSING: frozenset[FailureReason] = frozenset(
    {
        "content_violation",
        "insufficient_credits",
        "invalid_input",
        "invalid_media",
        "rate_limited",
        "unauthorized",
        "unsupported",
    }
)
"""What a gateway says in a 2xx when it did not take the job, where no page tells of such replies."""


@dataclass(frozen=True)
class Verdict:
    """`outcome` is *answered*: the format reads on; *refused*: nothing is charged; *lost*: the gateway may have
    the job.

    `why` says what was lost, for a sentence that begins with "it may have accepted, but".
    """

    outcome: Literal["answered", "refused", "lost"]
    fault: Fault | None = None
    why: str = ""


def submission_outcome(format_: Format, reply: Reply, given: frozenset[str] | None = None) -> Verdict:
    """What a whole reply to a submission means. `given` names the kinds of media that went in, where known.

    *refused*: a 4xx other than 408, 409 and 499; 429, 503 and 529 only in the gateway's own form of an error. *lost*:
    everything else that is no 2xx, and every reply that names a job, whatever its status. Where a page tells of errors
    in a 200, the code in the body stands for the status (`Format.status_told`).
    """
    status, fault = format_.status_told(reply), format_.fault(reply, submitting=True, given=given)
    if 200 <= status < 300 and fault is None:
        return Verdict("answered")
    job_id = format_.job_id_in(reply)
    if job_id is not None:
        return _lost(reply, status, fault, f"came with the id of a job ({shown_id(job_id, 100)})")
    if 200 <= status < 300:
        refusal = fault is not None and fault.reason in REFUSING
    elif status in SURE_IF_OWN:
        refusal = reply.ok or format_.is_own_error(reply)
    else:
        refusal = 400 <= status < 500 and status not in SAY_NOTHING
    return Verdict("refused", fault) if refusal else _lost(reply, status, fault)


def _lost(reply: Reply, status: int, fault: Fault | None, what: str = "says nothing about the job") -> Verdict:
    told = f"HTTP {reply.status}" if reply.status == status else f"HTTP {reply.status} with code {status}"
    said = f". {fault.told}" if fault is not None and fault.message != f"HTTP {reply.status}" else ""
    return Verdict("lost", fault, f"{told} {what}{said}")
