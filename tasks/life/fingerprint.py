"""Same request, same task: the fingerprint that the server derives, and how long it counts."""

import hashlib
import json
from datetime import datetime
from typing import Literal

from ...domain.document import ALWAYS, COUNTS_AFTER_SUCCESS
from ...domain.record import TaskRecord
from ...domain.request import GenerationRequest, MediaInput


def fingerprint(owner: str, provider: str | None, request: GenerationRequest) -> str:
    """SHA-256 (hex) of who asks whom for what. An output of a task counts by its name, also before it is there; other
    media by their bytes where rushes holds them, else by URL."""
    asked = request.model_dump(mode="json", exclude={"media"}, exclude_none=True)
    media = [[medium.role, _identity(medium)] for medium in request.media]
    canonical = json.dumps([owner, provider or "auto", asked, media], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _identity(medium: MediaInput) -> str:
    if medium.given is not None and medium.given.startswith("task:"):
        return medium.given
    return medium.sha256 or medium.url or medium.source


def _paid_in_vain(record: TaskRecord) -> bool:
    """The gateway delivered, and what it delivered could not be written: an equal call would pay once more for that."""
    why = record.failure
    return record.state == "failed" and why is not None and (why.reason, why.charged) == ("internal", "yes")


def may_be_charged(record: TaskRecord) -> bool:
    """Whether nobody knows if a task that brought nothing was charged: `unknown`, or failed with `charged: unknown`."""
    why = record.failure
    if record.state == "unknown":
        return why is None or why.charged == "unknown"
    return record.state == "failed" and why is not None and why.charged == "unknown"


def counts_until(record: TaskRecord) -> Literal["always"] | datetime | None:
    """Until when an equal call is answered with this task, as far as the record stays as it is: always while it is
    unfinished, or paid for in vain for sure or perhaps; else for a moment after it ended well."""
    if not record.final or may_be_charged(record) or _paid_in_vain(record):
        return ALWAYS
    if record.state == "failed" and record.outputs:
        # Given up, and finished after all: paid for, and being kept or just kept.
        return ALWAYS if record.open else record.updated_at + COUNTS_AFTER_SUCCESS
    if record.state != "succeeded" or record.finished_at is None:
        return None
    return record.finished_at + COUNTS_AFTER_SUCCESS
