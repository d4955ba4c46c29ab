"""Costs and estimates as tools show them: with their amounts as numbers."""

from pydantic import Field, JsonValue

from ...domain.chosen import Chosen
from ...domain.failure import MESSAGE_LIMIT, Failure, clean_text
from ...domain.job import Cost
from ...domain.money import Basis, Estimate, plain
from ...domain.record import Settlement, TaskRecord
from ...domain.value import Value


class CostShown(Value):
    """What the gateway says it charged."""

    amount: float
    currency: str


class EstimateShown(CostShown):
    """What it was to cost, known beforehand."""

    basis: Basis
    n: int | None = Field(None, exclude_if=lambda n: n is None)
    """Of so many earlier jobs, where it was learned."""


def estimate_shown(estimate: Estimate | None) -> EstimateShown | None:
    """With its amount as a number, as that of a cost is."""
    if estimate is None:
        return None
    return EstimateShown(amount=float(estimate.amount), currency=estimate.currency, basis=estimate.basis, n=estimate.n)


def cost_shown(cost: Cost | None) -> CostShown | None:
    return None if cost is None else CostShown(amount=float(cost.amount), currency=cost.currency)


def settled_shown(settlement: Settlement) -> str:
    """What a person said that a task has cost."""
    if not settlement.amount:
        return "Settled by hand: nothing was charged."
    return f"Settled by hand: it cost {plain(settlement.amount)} {settlement.currency}."


def failure_shown(record: TaskRecord) -> Failure | None:
    """Why it failed. What was said of a charge when nobody knew of one gives way to what a person has said since."""
    told, by_hand = record.failure, record.by_hand
    if told is None or by_hand is None:
        return told
    settled = settled_shown(by_hand)
    again = "make it again if it is still wanted" if not by_hand.amount else "making it again is paid for again"
    found = ""
    if record.state == "unknown":
        found = " If the gateway's dashboard shows the job, call check_task with its id as job_id for its result;"
        again = f"else {again}"
    hint = f"{settled}{found} {again if found else again.capitalize()}."
    message = clean_text(told.message, MESSAGE_LIMIT - len(settled) - 1)
    return told.model_copy(update={"message": f"{message} {settled}", "hint": hint})


def chosen_shown(chosen: Chosen) -> dict[str, JsonValue]:
    """A choice with what else would have done; the price of that in one piece, where it is known."""
    others: list[JsonValue] = []
    for other in chosen.alternatives:
        told: dict[str, JsonValue] = other.model_dump(mode="json", exclude_none=True)
        price: dict[str, JsonValue] = {name: told.pop(name) for name in _OF_A_PRICE if name in told}
        if other.amount is not None:
            price["amount"] = float(other.amount)
        if other.seconds is not None:
            told["seconds"] = round(other.seconds, 1)
        others.append({**told, "price": price} if price else told)
    return {"why": chosen.why, "alternatives": others}


_OF_A_PRICE = ("amount", "currency", "basis", "n")
