"""What earlier jobs have cost, as the ledger tells."""

from collections.abc import Sequence

from ...domain.document import Line
from ...domain.events import CostTold, Succeeded
from ...domain.money import PaidJob
from ..followers import Change
from ..ports import Ledger
from .ledger import BOOK, entry_of, paid_job, paid_job_of

Paid = tuple[str, str, PaidJob]
"""Provider, model and cost of a job."""

LINES_READ_MAX = 1000
"""The newest tasks, among which the last paid ones of each model are found."""


async def paid_jobs(ledger: Ledger) -> Sequence[Paid]:
    """The newest jobs of which a gateway told a cost, newest first.

    Raises:
        StoreError: the ledger cannot be read.
    """
    lines = await ledger.last_lines(BOOK, limit=LINES_READ_MAX, true="made")
    return [paid for line in lines if (paid := _paid_by(line)) is not None]


def just_paid(change: Change) -> Paid | None:
    """The job whose cost this write tells; `None` for most writes."""
    record = change.record
    if record.cost is None or not any(isinstance(event, CostTold | Succeeded) for event in change.events):
        return None
    job = paid_job_of(record)
    return None if job is None else (record.provider, record.model, job)


def _paid_by(line: Line) -> Paid | None:
    entry = entry_of(line)
    job = None if entry is None else paid_job(entry)
    return None if entry is None or job is None else (entry.provider, entry.model, job)
