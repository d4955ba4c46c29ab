"""What earlier jobs have cost, as the ledger tells."""

from collections.abc import Sequence

from ...domain.money import PaidJob
from ..ports import Ledger
from .ledger import BOOK, entry_of, paid_job

LINES_READ_MAX = 1000
"""The newest tasks, among which the last paid ones of each model are found."""


async def paid_jobs(ledger: Ledger) -> Sequence[tuple[str, str, PaidJob]]:
    """Provider, model and cost of the newest jobs of which a gateway told a cost, newest first.

    Raises:
        StoreError: the ledger cannot be read.
    """
    found: list[tuple[str, str, PaidJob]] = []
    for line in await ledger.last_lines(BOOK, limit=LINES_READ_MAX, true="made"):
        entry = entry_of(line)
        job = None if entry is None else paid_job(entry)
        if entry is not None and job is not None:
            found.append((entry.provider, entry.model, job))
    return found
