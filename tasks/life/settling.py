"""What a person knows of a task's cost, where its gateway did not tell."""

from datetime import datetime
from decimal import Decimal

from ...domain.failure import recharged
from ...domain.record import Settlement, TaskRecord
from .ground import same_state


def why_not_settled(record: TaskRecord) -> str | None:
    """Why nothing can be said of the task's cost yet, as a clause; `None` where it can."""
    if record.free:
        return f"{record.provider} takes no money"
    return None if record.final else f"it is {record.state}, and its end says what it costs"


def settled_by_hand(record: TaskRecord, amount: Decimal, currency: str, now: datetime) -> TaskRecord:
    """The task has cost so much; 0 where it was not charged. What a failure says of the money follows."""
    if why_not_settled(record) is not None:
        return record
    settlement = Settlement(amount=amount, currency=currency, at=now, told=record.cost)
    why = record.failure and recharged(record.failure, "yes" if amount else "no")
    return same_state(record, now, settlement=settlement, failure=why)
