"""The one exception tree of rushes.

    RushesError
    ├── ConfigurationError          a setting, rushes.toml or an option of the command is wrong
    ├── JobTaken                    the job belongs to another task
    ├── TaskNotFound                no task has this id (or it belongs to somebody else)
    ├── RequestRefused              refused by rushes itself, before anything was sent or paid
    │   └── ConfirmationNeeded      a person has to agree to the price first
    ├── OverBudget                  a write would reserve more than a bound leaves; nothing was written
    ├── GatewayError                a gateway's answer, or the lack of one
    │   ├── SubmissionRefused       definite: the gateway did not accept the job; nothing is charged
    │   ├── SubmissionLost          the answer was lost: the job may exist and may be charged
    │   └── GatewayUnavailable      a read (poll, cancel, list, account) failed; it says nothing about the job
    ├── DecodingEnded               what decodes a file took too much, crashed, or could not be started
    ├── OutputError                 an output could not be kept
    │   ├── OutputUnavailable       a passing fault; worth another try while the URL lives
    │   ├── OutputExpired           the URL is gone for good
    │   └── OutputRejected          what came is not the promised medium, too large, or from a forbidden address
    └── StoreError                  the task store cannot be used
        ├── StoreBusy               another process held it for longer than the time limit
        ├── StoreReadOnly
        ├── StoreFull
        ├── StoreDamaged
        └── StoreTooNew             a record was written by a newer rushes

Every message is plain text for a person or an agent, and never holds a key. `IllegalTransition` stands outside: it is
a fault in rushes, and nobody handles it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from decimal import Decimal

    from .money import Bound, Estimate

FailureReason = Literal[
    "content_violation",
    "invalid_input",
    "invalid_media",
    "unsupported",
    "insufficient_credits",
    "rate_limited",
    "unauthorized",
    "not_found",
    "provider_error",
    "timeout",
    "cancelled",
    "outcome_unknown",
    "result_expired",
    "budget_exceeded",
    "confirmation_needed",
    "internal",
]
"""Why a task ended without outputs."""

Charged = Literal["yes", "no", "unknown"]
"""Whether money was spent."""


class RushesError(Exception):
    """Root of the tree. `hint` is one sentence: what to do now."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(RushesError):
    """A setting is wrong; the message names it."""


class TaskNotFound(RushesError):
    """No task has this id. Unknown, foreign and malformed ids look the same."""


class JobTaken(RushesError):
    """The job belongs to another task already."""

    def __init__(self, job_id: str, task_id: str) -> None:
        super().__init__(f"The job {job_id!r} belongs to task {task_id}.")
        self.task_id = task_id


class FailureError(RushesError):
    """An error that becomes a task's or a call's failure: it has a reason and a money state."""

    default_charged: Charged = "unknown"

    def __init__(
        self,
        reason: FailureReason,
        message: str,
        *,
        charged: Charged | None = None,
        provider_code: str | None = None,
        retry_after_seconds: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason: FailureReason = reason
        self.charged: Charged = charged if charged is not None else self.default_charged
        self.provider_code = provider_code
        self.retry_after_seconds = retry_after_seconds


class RequestRefused(FailureError):
    """rushes refused the request before anything was sent."""

    default_charged = "no"


class BudgetExceeded(RequestRefused):
    """It costs more than a budget or `max_cost` leaves, or nobody knows what it costs where that matters."""

    def __init__(self, message: str, estimate: "Estimate | None", *, hint: str | None = None) -> None:
        super().__init__("budget_exceeded", message, hint=hint)
        self.estimate = estimate


class ConfirmationNeeded(RequestRefused):
    """The price is above what is spent without asking a person."""

    def __init__(
        self, message: str, estimate: "Estimate", what: str, *, provider: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__("confirmation_needed", message, hint=hint)
        self.estimate = estimate
        self.what = what
        """The generation in a few words, for the person."""
        self.provider = provider
        """Who has to be named with the price, because others take another currency."""


class OverBudget(RushesError):
    """A write would reserve more than a bound leaves. `used` is what counted against it before."""

    def __init__(self, bound: "Bound", used: "Decimal") -> None:
        # Loads pydantic, which the process that decodes does without.
        from .money import plain

        super().__init__(f"{plain(used)} of {plain(bound.limit)} {bound.currency} {bound.span} are used")
        self.bound = bound
        self.used = used


class GatewayError(FailureError):
    """A gateway's answer, or the lack of one. `ids` are the request and trace ids in it, for the gateway's support."""

    ids: Mapping[str, str] = MappingProxyType({})


class SubmissionRefused(GatewayError):
    """The gateway definitely did not accept the job."""

    default_charged = "no"


class SubmissionLost(GatewayError):
    """The request may have reached the gateway, and its answer was lost."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__("outcome_unknown", message, charged="unknown", hint=hint)


class GatewayUnavailable(GatewayError):
    """A read failed. `retry_after_seconds` is the gateway's own wish, where it told one; `status` is HTTP's."""

    def __init__(
        self,
        reason: FailureReason,
        message: str,
        *,
        provider_code: str | None = None,
        retry_after_seconds: float | None = None,
        hint: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(
            reason, message, provider_code=provider_code, retry_after_seconds=retry_after_seconds, hint=hint
        )
        self.status = status


class OutputError(RushesError):
    """An output could not be kept."""


class OutputUnavailable(OutputError):
    """A passing fault while fetching an output."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class OutputExpired(OutputError):
    """The output's URL no longer works."""


class OutputRejected(OutputError):
    """What came back is not what was promised, or may not be fetched."""


class StoreError(RushesError):
    """The task store cannot be used."""


class StoreBusy(StoreError):
    """Another process held the store for longer than the time limit."""


class StoreReadOnly(StoreError):
    """The store's folder or database cannot be written."""


class StoreFull(StoreError):
    """The disk is full."""


class StoreDamaged(StoreError):
    """The database, or a row in it, is not what rushes wrote."""


class StoreTooNew(StoreError):
    """A record was written by a newer rushes."""


class IllegalTransition(AssertionError):
    """A fault in rushes: a step that a task's life does not have, or a change that no step makes."""


class DecodingEnded(RushesError):
    """What decodes ended without an answer; the message is the end of a sentence that begins with the file."""
