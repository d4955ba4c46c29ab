"""A small honest service for the tools' tests: tasks in memory, moved on by the test."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import anyio
from pydantic import JsonValue

from rushes.domain.budget import Left
from rushes.domain.errors import RushesError, TaskNotFound
from rushes.domain.model_facts import ModelFacts
from rushes.domain.money import Balance, ExpectedTime, UnitPrice
from rushes.domain.principal import Principal
from rushes.domain.record import Output, TaskRecord, TaskState
from rushes.domain.request import GenerationRequest, Kind
from rushes.tasks.money.spend import By, Spend
from rushes.tasks.previews.glimpse import Grid
from rushes.tasks.previews.previews import check_index
from rushes.tasks.service import Answer, Fits, Labelled, Lineage, ModelOffer, Preview, Seen, Service, TaskPage, Wish

from ..altered import altered
from ..previews.here import previews_here

NOW = datetime(2026, 11, 20, 17, 5, 30, 123_456, tzinfo=UTC)


def record(**fields: object) -> TaskRecord:
    """A running task called 01TASK; `fields` as in `TaskRecord`, and `prompt`."""
    kind = fields.get("kind", "video")
    prompt = fields.pop("prompt", "a red fox")
    return TaskRecord.model_validate(
        {
            "task_id": "01TASK",
            "owner": "local",
            "kind": kind,
            "state": "running",
            "phase": "polling",
            "request": {"kind": kind, "prompt": prompt},
            "provider": "gateway",
            "model": "fox-1",
            "created_at": NOW,
            "updated_at": NOW,
            "deadline_at": NOW + timedelta(hours=1),
            **fields,
        }
    )


class NoPrices:
    """Nobody knows a price or a time."""

    def unit_price(self, provider: str, facts: ModelFacts) -> UnitPrice | None:
        return None

    def expected_seconds(self, provider: str, model: str) -> ExpectedTime | None:
        return None


class FakeService(Service):
    """Answers like the real service; `move` is what a gateway would do."""

    def __init__(self) -> None:
        self.records: dict[str, TaskRecord] = {}
        self.wishes: list[Wish] = []
        self.offers: Sequence[ModelOffer] = ()
        self.fits = Fits(())
        self.wanted: list[GenerationRequest] = []
        self.attached: list[tuple[str, str]] = []
        self.refusal: Exception | None = None
        """Raised by every method while it is set."""
        self.searched: tuple[str | None, datetime | None, datetime | None] | None = None
        """What `list_tasks` was asked for last."""
        self.first: dict[str, object] = {}
        """Fields of the records that `generate` makes."""
        self.answers = anyio.Event()
        """`generate` answers once this is set."""
        self.answers.set()
        self.answer_within_seconds: float | None = None
        self.waiting = anyio.Event()
        """Set while somebody waits."""
        self._changed = anyio.Event()

    async def glimpse(self, task_id: str, index: int, *, principal: Principal, at_seconds: float | None = None) -> Seen:
        found = await self.get(task_id, principal=principal)
        check_index(found, index)
        return Seen(found, await previews_here.glimpse(found.outputs[index - 1], at_seconds))

    async def grid(self, wanted: Sequence[Labelled], *, principal: Principal, at_seconds: float | None = None) -> Grid:
        shown: list[tuple[Output, str]] = []
        for each in wanted:
            found = await self.get(each.task_id, principal=principal)
            check_index(found, each.index)
            shown.append((found.outputs[each.index - 1], each.label))
        return await previews_here.several(shown, at_seconds)

    async def lineage(self, record: TaskRecord) -> Lineage:
        children = [known.task_id for known in self.records.values() if record.task_id in known.parents]
        return Lineage(record.parents, tuple(sorted(children)))

    async def content(self, task_id: str, index: int, *, principal: Principal, bytes_max: int) -> bytes:
        found = await self.get(task_id, principal=principal)
        check_index(found, index)
        return await previews_here.content(found.outputs[index - 1], bytes_max)

    def put(self, task: TaskRecord) -> TaskRecord:
        self.records[task.task_id] = task
        return task

    def move(self, task_id: str, **fields: object) -> None:
        """Change a task and wake those who wait for it."""
        self.put(altered(self.records[task_id], fields))
        self._changed.set()
        self._changed = anyio.Event()

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def generate(self, wish: Wish, *, answer_within_seconds: float = 20.0) -> Answer:
        self._refuse()
        self.answer_within_seconds = answer_within_seconds
        self.wishes.append(wish)
        for known in self.records.values():
            if known.request == wish.request and not wish.force_new:
                return Answer(record=known, deduplicated=True)
        await self.answers.wait()
        task_id = f"01TASK{len(self.records) + 1}"
        made = record(task_id=task_id, kind=wish.request.kind, request=wish.request, owner=wish.principal.name)
        return Answer(record=self.put(altered(made, self.first)), deduplicated=False)

    async def preview(self, wish: Wish) -> Preview:
        self._refuse()
        payload: dict[str, JsonValue] = {"prompt": wish.request.prompt, "seconds": wish.request.duration_seconds}
        return Preview("gateway", "fox-1", "https://gateway.example/v1/videos", payload, ("nothing is sent",))

    async def get(self, task_id: str, *, principal: Principal) -> TaskRecord:
        self._refuse()
        found = self.records.get(task_id)
        if found is None or found.owner != principal.name:
            raise TaskNotFound(f"There is no task {task_id!r}.")
        return found

    async def answer(self, task_id: str, *, principal: Principal) -> JsonValue:
        await self.get(task_id, principal=principal)
        return {"told": task_id}

    async def wait(
        self,
        task_id: str,
        *,
        seconds: float,
        principal: Principal,
        report: Callable[[TaskRecord], Awaitable[None]] | None = None,
    ) -> TaskRecord:
        found = await self.get(task_id, principal=principal)
        with anyio.move_on_after(seconds):
            while not found.settled:
                if report is not None:
                    await report(found)
                changed = self._changed
                self.waiting.set()
                await changed.wait()
                found = await self.get(task_id, principal=principal)
        return found

    async def list_tasks(
        self,
        *,
        principal: Principal,
        state: TaskState | None = None,
        kind: Kind | None = None,
        query: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> TaskPage:
        self._refuse()
        self.searched = (query, since, until)
        mine = [known for known in self.records.values() if known.owner == principal.name]
        matching = [known for known in mine if state in (None, known.state) and kind in (None, known.kind)]
        newest = sorted(matching, key=lambda known: known.task_id, reverse=True)
        start = int(cursor or 0)
        more = str(start + limit) if start + limit < len(newest) else None
        return TaskPage(records=tuple(newest[start : start + limit]), next_cursor=more)

    async def cancel(self, task_id: str, *, principal: Principal, abandon: bool = False) -> TaskRecord:
        found = await self.get(task_id, principal=principal)
        if abandon and not found.final:
            self.move(task_id, state="cancelled", phase="done")
        elif not found.final:
            self.move(task_id, warnings=("gateway cannot cancel; it goes on and may charge.",))
        return self.records[task_id]

    async def attach(self, task_id: str, job_id: str, *, principal: Principal) -> TaskRecord:
        self.attached.append((task_id, job_id))
        return await self.get(task_id, principal=principal)

    async def take_up(self, task_id: str, *, principal: Principal) -> TaskRecord:
        return await self.get(task_id, principal=principal)

    async def fitting(
        self, requests: Sequence[GenerationRequest], *, provider: str | None = None, query: str | None = None
    ) -> Fits:
        self._refuse()
        self.wanted += requests
        return self.fits

    async def models(
        self, *, kind: Kind | None = None, provider: str | None = None, query: str | None = None
    ) -> Sequence[ModelOffer]:
        self._refuse()
        return [
            offer
            for offer in self.offers
            if kind in (None, offer.kind)
            and (provider is None or any(name == provider for name, _, _ in offer.offers))
            and (query is None or query in offer.name)
        ]

    async def spend(self, *, principal: Principal, by: By = "day", since: datetime | None = None) -> Spend:
        raise NotImplementedError

    async def balances(self) -> Sequence[Balance]:
        return ()

    @property
    def prices(self) -> NoPrices:
        return NoPrices()

    async def budgets_left(self, *, principal: Principal) -> Sequence[Left]:
        return ()

    async def settle(
        self, task_id: str, amount: Decimal, currency: str | None = None, *, principal: Principal
    ) -> TaskRecord:
        raise NotImplementedError

    def poll_interval_seconds(self, record: TaskRecord) -> float | None:
        return None if record.final else 4.2


def refusing(error: RushesError) -> FakeService:
    """A service of which every method ends with this error."""
    service = FakeService()
    service.refusal = error
    return service
