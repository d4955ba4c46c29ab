"""The run behind docs/money.md: tasks over five gateways in processes that die, and both sides' accounts of them."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import anyio

from rushes.cache.embedded.store import TaskStore
from rushes.domain.principal import LOCAL
from rushes.domain.record import SCHEMA, TaskRecord
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.money.ledger import BOOK, Entry, entry_of, line_of, standing
from rushes.tasks.money.spend import Spend

from ..crash.crew import Crew
from ..crash.fuse import Burn
from ..crash.gateways import address_of
from ..crash.orders import Order, Reached, Report
from ..gateways.client import RunningGateways
from ..gateways.views import JobView
from ..tasks.engines import an_engine
from .asked import REFUSALS, Asked, asked_of, configured_prices

DYING_AT_ONCE = 4
ALL = 10_000
LONGEST_SECONDS = 600.0


@dataclass(frozen=True)
class Accounts:
    """One task: what rushes has of it, before and after a person settled what nobody knew, and what the gateway has."""

    asked: Asked
    record: TaskRecord
    settled: Entry
    jobs: Sequence[JobView]

    @property
    def charged(self) -> Decimal:
        """By the gateway's own account."""
        return sum((Decimal(job.charged) for job in self.jobs), Decimal(0))

    @property
    def open(self) -> bool:
        """Whether nobody but a person could say what it had cost."""
        return standing(self.record).known in ("nobody", "by hand")

    @property
    def price(self) -> Decimal | None:
        """What the gateway's job costs if it ends well."""
        return Decimal(self.jobs[0].price) if self.jobs else None

    def faults(self) -> list[str]:
        """What must not be."""
        now, then = standing(self.record), self.settled.standing
        found = [f"paid {len(self.jobs)} times"] if len(self.jobs) > 1 else []
        if now.known != "nobody" and now.spent != self.charged:
            found.append(f"said to have cost {now.spent}, and {self.charged} was charged")
        if now.reserved and self.record.estimate is not None and now.reserved != self.record.estimate.amount:
            found.append(f"{now.reserved} is reserved for {self.record.estimate.amount}")
        if self.open and self.record.estimate is not None and self.charged > self.record.estimate.amount:
            found.append(f"{self.charged} was charged of what was thought to cost {self.record.estimate.amount}")
        if self.record.cost is not None and self.record.cost.amount != self.charged:
            found.append(f"{self.record.cost.amount} was told, and {self.charged} charged")
        if then.reserved or then.spent != self.charged:
            found.append(f"settled at {then.spent} with {then.reserved} reserved, and {self.charged} was charged")
        return [f"{self.asked.call.gateway}, {self.asked.call.prompt!r}: {fault}" for fault in found]


@dataclass(frozen=True)
class Outcome:
    """What the run came to."""

    accounts: Sequence[Accounts]
    processes: int
    kills: int
    spend: Spend
    """As `rushes spend` has it at the end."""
    faults: Sequence[str]


class Run:
    """One home for all gateways, so one ledger, and processes over it."""

    def __init__(self, home: Path, crew: Crew, gateways: RunningGateways, tasks: int) -> None:
        self._home = home
        self._crew = crew
        self._gateways = gateways
        self._asked = asked_of(tasks)
        self._kills = self._processes = 0

    async def made(self) -> Outcome:
        """The opening, then everything else while processes die, then a last process, a person, and the accounts."""
        base = await self._base()
        opening = [asked for asked in self._asked if asked.opening]
        report = await self._work(base, "opening", opening)
        await self._settle([record for record in report.records if record.cost is None])
        report = await self._rest(base)
        known = {record.request.prompt for record in report.records}
        # Whoever called a process that died before it had written anything calls again.
        report = await self._work(base, "last", [asked for asked in self._asked if asked.call.prompt not in known])
        faults = _disagreeing(report)
        await self._end_at_gateways()
        unknown = [record for record in report.records if standing(record).known == "nobody"]
        await self._settle(unknown)
        return await self._outcome(report, faults)

    async def _base(self) -> Order:
        reached = [address_of(Order(order="", home=self._home, gateway=name), self._gateways) for name in REFUSALS]
        first, *further = (Reached(gateway=o.gateway, base_url=o.base_url, api_key=o.api_key) for o in reached)
        return Order(
            order="",
            home=self._home,
            gateway=first.gateway,
            base_url=first.base_url,
            api_key=first.api_key,
            further=tuple(further),
            prices=await configured_prices(),
            takes_up=True,
            longest_seconds=LONGEST_SECONDS,
        )

    async def _work(self, base: Order, name: str, asked: Sequence[Asked]) -> Report:
        """One process makes these calls, waits until nothing is left to do, and reports."""
        order = base.model_copy(update={"order": name, "besides": tuple(each.call for each in asked)})
        self._processes += 1
        return await (await self._crew.start(order)).ends_well()

    async def _rest(self, base: Order) -> Report:
        """Two processes make the calls of those that are not to die, while others die at theirs; then one that ends
        what those have left."""
        living = [asked for asked in self._asked if not asked.opening and asked.trouble != "killed"]
        dying = [asked for asked in self._asked if asked.trouble == "killed"]
        slots = anyio.Semaphore(DYING_AT_ONCE)

        async def die(number: int, asked: Asked) -> None:
            fuse = Burn(kill_at=asked.seam)
            order = base.model_copy(update={"order": f"dying-{number}", "besides": (asked.call,), "fuse": fuse})
            async with slots:
                self._processes += 1
                worker = await self._crew.start(order)
                code = await worker.ends()
            assert code in (0, -signal.SIGKILL), worker.fault()
            self._kills += code != 0

        async with anyio.create_task_group() as group:
            for half in range(2):
                group.start_soon(self._work, base, f"living-{half}", living[half::2])
            for number, asked in enumerate(dying):
                group.start_soon(die, number, asked)
        return await self._work(base, "heir", [])

    async def _end_at_gateways(self) -> None:
        """Jobs that nobody looks at any more end too: one well, the next not."""
        ended = 0
        for job in await self._gateways.jobs():
            if job.phase in ("queued", "running"):
                await self._gateways.set_phase(job.gateway, job.job_id, "failed" if ended % 2 else "succeeded")
                ended += 1

    async def _settle(self, records: Sequence[TaskRecord]) -> None:
        """A person looks at the gateways' own accounts, and tells rushes what they say."""
        jobs = _by_prompt(await self._gateways.jobs())
        async with an_engine(self._home) as engine:
            for record in records:
                charged = sum((Decimal(job.charged) for job in jobs.get(record.request.prompt, ())), Decimal(0))
                await engine.settle(record.task_id, charged, principal=LOCAL)

    async def _outcome(self, report: Report, faults: list[str]) -> Outcome:
        jobs = _by_prompt(await self._gateways.jobs())
        records = {record.request.prompt: record for record in report.records}
        entries, wrong_sums = await self._entries()
        if wrong_sums:
            faults.append(f"{wrong_sums} sums by account and day are not those of the lines")
        if len(records) != len(report.records):
            faults.append(f"{len(report.records)} tasks of {len(records)} prompts")
        accounts: list[Accounts] = []
        for asked in self._asked:
            prompt = asked.call.prompt
            if prompt not in records:
                faults.append(f"{prompt!r} left no task")
                continue
            record = records[prompt]
            accounts.append(Accounts(asked, record, entries[record.task_id], jobs.get(prompt, ())))
        faults += [fault for account in accounts for fault in account.faults()]
        async with an_engine(self._home) as engine:
            spend = await engine.spend(principal=LOCAL, by="provider")
        return Outcome(accounts, self._processes, self._kills, spend, faults)

    async def _entries(self) -> tuple[dict[str, Entry], int]:
        async with TaskStore.opened(self._home / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
            lines, wrong_sums = await store.lines(BOOK, limit=ALL), await store.wrong_sums()
        return {entry.task_id: entry for line in lines if (entry := entry_of(line)) is not None}, wrong_sums


def _disagreeing(report: Report) -> list[str]:
    """Records whose line in the ledger says something else."""
    said = {record.task_id: line_of(record).value for record in report.records}
    return [] if report.ledger == said else ["the ledger is not what the records say"]


def _by_prompt(jobs: Sequence[JobView]) -> dict[str, list[JobView]]:
    found: dict[str, list[JobView]] = {}
    for job in jobs:
        found.setdefault(job.prompt, []).append(job)
    return found
