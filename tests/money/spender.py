"""A process that makes many calls at once over a home that another one shares, and says how many were refused."""

import sys
from decimal import Decimal
from pathlib import Path

import anyio

from rushes.domain.budget import Budget
from rushes.domain.errors import RequestRefused
from rushes.domain.job import Job
from rushes.domain.money import Price

from ..tasks.engines import a_wish, an_engine
from ..tasks.makers import ACCEPTED, RUNNING
from ..tasks.scripted import ScriptedProvider

PRICE, PER_DAY = Decimal("0.1"), Decimal(5)


async def spend(home: Path, name: str, calls: int) -> None:
    """Begin all calls as soon as the word comes, and print how many were sent and how many refused."""
    gateway = ScriptedProvider(looks=[RUNNING])
    gateway.answers = [ACCEPTED.model_copy(update={"job": Job(job_id=f"{name}-{n}", model="m1")}) for n in range(calls)]
    refused: list[str] = []

    async def call(number: int) -> None:
        try:
            await engine.generate(a_wish(f"{name} {number}"))
        except RequestRefused as refusal:
            refused.append(refusal.reason)

    budgets = [Budget(per_day=PER_DAY)]
    async with an_engine(home, gateway, prices={"gate/m1": Price(per_request=PRICE)}, budgets=budgets) as engine:
        await engine.prices.refresh()
        print("ready", flush=True)  # noqa: T201
        await anyio.to_thread.run_sync(sys.stdin.readline)
        async with anyio.create_task_group() as group:
            for number in range(calls):
                group.start_soon(call, number)
    assert set(refused) <= {"budget_exceeded"}
    print(len(gateway.plans), len(refused), flush=True)  # noqa: T201


if __name__ == "__main__":
    anyio.run(spend, Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
